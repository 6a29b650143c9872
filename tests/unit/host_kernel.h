/* Kernels on the host: each is a copy of one shared object, loaded by itself, so that its plain
 * variables are private to it as on a core. What is SHARED, and the world below, is the test
 * program's: host_world.h. */
#ifndef HOST_KERNEL_H
#define HOST_KERNEL_H

#include "kernel/actor.h"
#include "kernel/backlog.h"
#include "kernel/multicast.h"
#include "kernel/shared/channel.h"

/* One kernel's functions. */
struct host_kernel {
    unsigned *this_core;
    void (*deliver)(const struct message *m, uint64_t kind, unsigned from_core); /* for poll */
    unsigned (*poll)(void); /* channels alone, to `deliver`; in place of turn */
    int (*inbox_make)(unsigned core);
    void (*start)(void);
    int (*send)(uint64_t to, const struct message *m);
    int (*send_request)(uint64_t to, const struct message *m);
    int (*reply)(uint64_t to, const struct message *m);
    int (*leave)(void);
    void (*back)(void);
    struct channel_counts (*channel_counts)(void);
    unsigned (*nodes_used)(enum backlog_account account);

    void (*class_register)(struct actor_class *class);
    const struct actor_class *(*class_find)(const char *name);
    uint64_t (*class_messages)(const struct actor_class *class);
    int (*create)(const struct actor_class *class, void *state, struct actor **made);
    int (*create_at)(unsigned slot, const struct actor_class *class, void *state,
                     struct actor **made);
    void (*end)(struct actor *actor, uint64_t reason, uint64_t value);
    uint64_t (*address)(const struct actor *actor);
    uint64_t (*well_known)(unsigned core, unsigned slot);
    int (*actor_send)(uint64_t to, struct message *m);
    int (*actor_request)(struct actor *self, uint64_t to, struct message *m);
    void (*actor_reply)(struct actor *self, uint64_t asker, struct message *m);
    int (*watch)(uint64_t target, const struct actor *watcher, uint64_t cookie);
    int (*unwatch)(uint64_t target, const struct actor *watcher, uint64_t cookie);
    unsigned (*turn)(void);
    int (*actor_leave)(void);
    struct actor_counts (*actor_counts)(void);

    void (*multicast_register)(enum multicast_operation operation,
                               void (*perform)(const uint64_t word[MULTICAST_WORDS]));
    void (*multicast_start)(void);
    int (*multicast)(struct multicast *m);
};

/* In each copy of the shared object. */
struct host_kernel *host_kernel(void);

#endif
