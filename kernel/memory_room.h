/* Room that processes make for one another when the machine has no frame left. docs/residency.md.
 *
 * Who finds no frame waits while another process of this home, the giver, lets go of pages that it
 * named evictable, by a change of its own; then what waited is made again. One giver at a time.
 * Private to the home; handlers. */
#ifndef KERNEL_MEMORY_ROOM_H
#define KERNEL_MEMORY_ROOM_H

struct process;

/* What a process does as the giver. */
enum memory_room { ROOM_NONE, ROOM_ASKED, ROOM_TAKING };

/* The process was refused for -E_NO_MEMORY. 1: the caller waits (memory_wait, memory_wait_fault), and
 * is made again when some pages were taken, or none was left there. 0: nobody has anything. */
int memory_room_ask(struct process *p);
/* No change of the process is under way: begins to take pages if that is asked of it, and its slots
 * are back. */
void memory_room_take(struct process *p);
/* They are taken: all who wait for room are made again. */
void memory_room_done(struct process *p);
/* The process dies. */
void memory_room_leave(struct process *p);

/* From now on the processes of this home are told when the machine becomes short of frames: each in
 * a turn of its own, by memory_room_tell. */
void memory_room_start(void);
void memory_room_tell(struct process *p);

#endif
