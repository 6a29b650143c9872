/* A vcore's mailbox: rings, bitmap, and who is woken. docs/event.md; the code is kernel/mailbox.c,
 * kernel/event.c, home_notify and send_wake in kernel/home.c, call_halt in kernel/vcore_call.c,
 * vcore_wake in kernel/driver.c, runtime/mailbox.c, event.c and idle_wait in runtime/scheduler.c.
 *
 * Smaller than life: a ring of 2 slots, POSTS events, at most 2 vcores. All shared words are stored
 * by locked instructions, so steps interleave and no store is delayed.
 *
 * HALTS: the home posts to vcore 0's mailbox; vcores 0 and 1 take, and halt when they find nothing.
 * BUSY: the same, but vcore 0 computes for ever. WAITS: a process in _S yields to wait.
 * HANDOVER: the driver's ring, of a vcore that goes from core to core.
 *
 * Checked: each event is taken from the ring, once, whole and in order, or is lost to the bitmap and
 * counted; nobody sleeps for ever while there is something to take. Each BROKEN_ variant must fail. */

#ifndef POSTS
#define POSTS 4
#endif

#define SLOTS     2
#define POSITIONS 4 /* written and taken run modulo this */

byte slot[SLOTS];
byte written, taken, lost;
bit bits;
bit taking; /* the process's lock */
byte posted, got, got_bits;

chan truth = [SLOTS] of { byte }; /* what lies in the ring: not in life */

#define has_ring ((written != taken))
#define has      (has_ring || bits)
#define done     (posted == POSTS && !has)

byte number, seen, position; /* of the ring's writer; each event's number counts from 1 */

inline lose()
{
    atomic { lost++; bits = 1 }
}

/* mailbox_post, by whoever writes the ring. */
inline post()
{
    number = posted + 1;
    seen = taken;
    if
#ifdef BROKEN_FULL
    :: true ->
#else
    :: (position + POSITIONS - seen) % POSITIONS < SLOTS ->
#endif
#ifdef BROKEN_PUBLISH
        atomic { assert(nfull(truth)); truth ! number; written = (position + 1) % POSITIONS };
        slot[position % SLOTS] = number;
#else
        slot[position % SLOTS] = number;
        atomic { assert(nfull(truth)); truth ! number; written = (position + 1) % POSITIONS };
#endif
        position = (position + 1) % POSITIONS
#ifdef BROKEN_BOTH
        ; lose()
#endif
#ifndef BROKEN_FULL
    :: else -> lose()
#endif
    fi;
    atomic { posted++; number = 0; seen = 0 }
}

/* mailbox_take. */
inline take()
{
    atomic { !taking -> taking = 1 };
    if
    :: has_ring ->
#ifdef BROKEN_TAKEN
        at = taken; taken = (taken + 1) % POSITIONS; event = slot[at % SLOTS]; at = 0;
#else
        event = slot[taken % SLOTS];
        atomic {
#endif
            truth ? expected; assert(event == expected);
            event = 0; expected = 0; got++;
#ifndef BROKEN_TAKEN
            taken = (taken + 1) % POSITIONS
        }
#endif
    :: else ->
        if
        :: bits -> atomic { bits = 0; got_bits++ }
        :: else
        fi
    fi;
    taking = 0
}

inline look_for_all()
{
    do
    :: has -> take()
    :: else -> break
    od
}

inline check_sum()
{
    assert(got + lost == POSTS && (lost == 0) == (got_bits == 0))
}

#if defined(HALTS) || defined(BUSY)

bit idle[2], pending[2], halted[2];
bit wake_sent[2], wake_again[2];
chan wake[2] = [1] of { bit };
chan woken = [2] of { byte };

inline send_wake(v)
{
    atomic {
        if
        :: wake_sent[v] ->
#ifndef BROKEN_AGAIN
            wake_again[v] = 1
#else
            skip
#endif
        :: else -> wake_sent[v] = 1; wake[v] ! 1
        fi
    }
}

#ifdef BROKEN_PENDING
#define notify(v) send_wake(v); pending[v] = 1
#else
#define notify(v) pending[v] = 1; send_wake(v)
#endif

/* wake_one: vcore 0 was posted to. */
inline wake_one()
{
#ifdef BROKEN_PENDING
    if :: idle[0] -> notify(0) :: else -> pending[0] = 1
#else
    pending[0] = 1;
    if
    :: idle[0] -> send_wake(0)
    :: else
#endif
#ifndef BROKEN_OTHERS
        ->
        if
        :: idle[1] -> notify(1)
        :: else
        fi
#endif
    fi
}

active proctype home()
{
    byte v;
end:
    do
    :: posted < POSTS ->
#ifdef BROKEN_POST
        wake_one(); post()
#else
        post(); wake_one()
#endif
    :: woken ? v ->
        atomic {
            wake_sent[v] = 0;
            if
            :: wake_again[v] -> wake_again[v] = 0; wake_sent[v] = 1; wake[v] ! 1
            :: else
            fi;
            v = 0
        }
    od
}

/* VCORE_WAKE: between any two instructions of the vcore, or while it is halted. */
proctype driver(bit me)
{
end:
    do
    :: wake[me] ? _ ->
        atomic {
            if
            :: halted[me] && pending[me] -> pending[me] = 0; idle[me] = 0; halted[me] = 0
            :: else
            fi
        }
        woken ! me
    od
}

proctype vcore(bit me)
{
    byte event, expected, at;
    do
    :: pending[me] = 0;
        look_for_all();
#ifdef BROKEN_IDLE
        if
        :: has -> skip
        :: else ->
            idle[me] = 1;
#else
        idle[me] = 1;
        if
#ifdef BROKEN_LAST_LOOK
        :: false
#else
        :: has -> idle[me] = 0
#endif
        :: else ->
#endif
            /* vcore_halt: one entry of the kernel, in which no WAKE is handled */
            atomic {
                if
#ifndef BROKEN_HALT
                :: pending[me] -> pending[me] = 0; idle[me] = 0
                :: else -> halted[me] = 1
#else
                :: true -> halted[me] = 1
#endif
                fi
            }
            if
            :: !halted[me]
            :: done && halted[me] -> break
            fi
        fi
    od;
    check_sum()
}

init {
    atomic {
#ifdef BUSY
        pending[0] = 0;
#else
        run driver(0); run vcore(0);
#endif
        run driver(1); run vcore(1)
    }
}
#endif

#ifdef WAITS
bit pending, waiting;
chan call = [1] of { bit };
chan answer = [1] of { bit };

/* The home handles one thing at a time; a post and its wake are one handler, as is a yield. What
 * the process does in between shows at each step. */
active proctype home()
{
end:
    do
    :: posted < POSTS ->
        post();
        atomic {
            pending = 1;
            if
#ifndef BROKEN_WAKE
            :: waiting -> waiting = 0; pending = 0; answer ! 0
#endif
            :: else
            fi
        }
    :: call ? _ ->
        atomic {
            if
#ifndef BROKEN_YIELD
            :: pending -> pending = 0; answer ! 0
#endif
            :: else -> waiting = 1
            fi
        }
    od
}

active proctype process()
{
    byte event, expected, at;
    do
    ::
#ifndef BROKEN_CLEAR
        pending = 0;
        look_for_all();
#else
        look_for_all();
        pending = 0;
#endif
        call ! 0;
        if
        :: answer ? _
        :: done && waiting -> break
        fi
    od;
    check_sum()
}
#endif

#ifdef HANDOVER
chan to_driver[2] = [2] of { bit, byte }; /* ATTACH 1, position; STOP 0 */
chan to_home = [1] of { byte };           /* STOPPED: position */
bit writing;                              /* somebody writes the ring: not in life */

proctype driver(bit me)
{
    bit attach;
    byte from;
end:
    do
    :: to_driver[me] ? attach, from ->
        assert(attach && !writing);
        writing = 1;
#ifdef BROKEN_POSITION
        position = 0;
#else
        position = from;
#endif
        do
        :: posted < POSTS -> post()
        :: to_driver[me] ? attach, from -> break
        od;
#ifndef BROKEN_TWO
        writing = 0;
#endif
        to_home ! position;
        from = 0
    od
}

/* STOPPED comes before the next ATTACH. */
active proctype home()
{
    byte at;
    bit core;
    do
    :: posted < POSTS ->
        to_driver[core] ! 1, at;
        to_driver[core] ! 0, 0;
#ifndef BROKEN_TWO
        to_home ? at;
#endif
        core = 1 - core
    :: else -> break
    od
}

active proctype process()
{
    byte event, expected, at;
    do
    :: has -> take()
    :: done -> break
    od;
    check_sum()
}

init { atomic { run driver(0); run driver(1) } }
#endif
