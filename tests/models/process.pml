/* The states of a process: its home, the core allocator, the driver of each core, and who kills it, notifies
 * it or ends it by a fault, all at once. docs/process.md; the code is kernel/process.c, home.c,
 * home_cores.c, cores.c, driver.c.
 *
 * One process of at most two vcores on one management core and two cores to grant. CALLS is how many calls
 * its vcores make in all, EVENTS how many notifications come; KILLS kills come, at any time. A vcore that may
 * call no more ends the process: by exit or by a fault.
 *
 * Checked: moves only along the table; a core is with the allocator, on its way or attached once; a vcore
 * is attached once; the single context is in one place; commands and grants find what they name; no process waits
 * with a notification pending, or for cores that are idle; the end is reached, with every core back and
 * nothing unread. Each BROKEN_ variant must fail. */

#ifndef CALLS
#define CALLS 4
#endif
#ifndef EVENTS
#define EVENTS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif

#define VCORES 2
#define DRIVERS 3          /* on core 0, the management core, and on cores 1 and 2 */
#define ALL_CORES 3        /* a bit each: core 1, core 2 */
#define NOBODY 9
#define BOUND 6            /* of messages under way between two of them */

mtype = { CREATED, RUNNABLE_S, RUNNING_S, WAITING, RUNNABLE_M, RUNNING_M, DYING, DYING_ABORT, GONE };
mtype = { REQUEST, YIELD, YIELD_WAIT, EXIT, FAULT, STOPPED };        /* driver to home */
mtype = { START, STOP, ANSWER };                                     /* home to driver */
mtype = { FRESH, SAVED };                                            /* START */
mtype = { DROP, SAVE, SLOT };                                        /* STOP */
mtype = { WANT, QUIET, KEEP, RETURN };                               /* home to allocator */
mtype = { LATER, ANSWERED, REFUSED };                                /* a grant */
mtype = { FOR_CORES, FOR_EVENT };

chan command[DRIVERS] = [BOUND] of { mtype, byte, mtype };           /* what, vcore, how */
chan report[DRIVERS] = [BOUND] of { mtype, byte, byte };             /* what, vcore, how many */
chan to_allocator = [BOUND] of { mtype, byte };
chan grant = [BOUND] of { mtype, byte };                             /* kind, cores */

/* --- the process, at its home --- */
mtype state = CREATED, waits;
bit attached[VCORES], stop_sent[VCORES], call_open[VCORES], pending[VCORES];
byte core_of[VCORES];      /* 0: the management core */
byte running;              /* attached vcores that are not being stopped */
byte single;
byte first_grant, wants_open;
byte wanted;
byte asking[VCORES], askers, taken_back; /* vcores whose requests await the allocator's answers, in order */
bit from_m;                /* it waits in _M */

/* --- where the single context is, and what has happened --- */
bit in_frame, in_slot, at_driver = 1;
byte calls = CALLS, events = EVENTS;
byte kills = KILLS;

/* --- the allocator --- */
byte idle = ALL_CORES, claim_wants, claim_has;
bit claim, claim_kept;      /* it is there; it stays though nothing is wanted */

#define in_s (state == CREATED || state == RUNNABLE_S || state == RUNNING_S || (state == WAITING && !from_m))
#define dying (state == DYING || state == DYING_ABORT || state == GONE)

inline move(next_state)
{
    assert((state == CREATED && next_state == RUNNABLE_S) || (state == RUNNABLE_S && next_state == RUNNING_S) ||
           (state == RUNNING_S && (next_state == RUNNABLE_S || next_state == WAITING)) ||
           (state == WAITING && (next_state == RUNNABLE_S || next_state == RUNNABLE_M)) ||
           (state == RUNNABLE_M && next_state == RUNNING_M) ||
           (state == RUNNING_M && (next_state == WAITING || next_state == RUNNABLE_S)) ||
           (!dying && next_state == DYING) || (state != DYING_ABORT && state != GONE && next_state == DYING_ABORT) ||
           ((state == DYING || state == DYING_ABORT) && next_state == GONE));
    state = next_state
}

inline tell(to_core, order, whom, in_which_way)
{
    assert(nfull(command[to_core]));
    command[to_core] ! order, whom, in_which_way
}

inline attach(new_vcore, new_core, new_how)
{
    assert(!attached[new_vcore] && !stop_sent[new_vcore]);
    attached[new_vcore] = 1;
    core_of[new_vcore] = new_core;
    tell(new_core, START, new_vcore, new_how)
}

inline stop(stopped, stop_how)
{
    if
    :: attached[stopped] && !stop_sent[stopped] ->
        stop_sent[stopped] = 1;
        tell(core_of[stopped], STOP, stopped, stop_how)
    :: else
    fi
}

inline answer(answered)
{
    if
    :: call_open[answered] ->
        call_open[answered] = 0;
        tell(core_of[answered], ANSWER, answered, DROP)
    :: else
    fi
}

/* A vcore is stopped, and only then answered, so that it never runs on. */
inline stop_and_answer(both, both_how)
{
#ifdef BROKEN_ANSWER_FIRST
    answer(both);
    stop(both, both_how)
#else
    stop(both, both_how);
    answer(both)
#endif
}

inline want(want_kind, want_cores)
{
    assert(nfull(to_allocator));
    to_allocator ! want_kind, want_cores;
    if
    :: want_kind == WANT -> wants_open++
    :: else
    fi
}

inline give_back(back)
{
    if
    :: back & 1 -> assert(nfull(to_allocator)); to_allocator ! RETURN, 1
    :: else
    fi;
    if
    :: back & 2 -> assert(nfull(to_allocator)); to_allocator ! RETURN, 2
    :: else
    fi
}

/* --- what the home does --- */

inline vcores_running(count)
{
    count = (attached[0] && !stop_sent[0]) + (attached[1] && !stop_sent[1])
}

inline try_end()
{
    if
#ifdef BROKEN_WANTS_OPEN
    :: dying && state != GONE && !attached[0] && !attached[1] -> move(GONE)
#else
    :: dying && state != GONE && !attached[0] && !attached[1] && wants_open == 0 -> move(GONE)
#endif
    :: else
    fi
}

inline end_process(end_how)
{
    if
    :: !dying ->
        move(end_how);
        want(WANT, 0);
#ifndef BROKEN_FIRST_GRANT
        give_back(first_grant);
#endif
        first_grant = 0;
        askers = 0;
        stop_and_answer(0, DROP);
        stop_and_answer(1, DROP);
        try_end()
    :: state == DYING && end_how == DYING_ABORT -> move(DYING_ABORT)
    :: else
    fi
}

/* The lowest id that has no core; the first vcore of a process that was in _S is `single`. */
inline start_one(one_core)
{
    if
    :: in_slot && !attached[single] -> attach(single, one_core, FRESH); in_slot = 0; at_driver = 1
    :: !(in_slot && !attached[single]) && !attached[0] -> attach(0, one_core, FRESH)
    :: else -> assert(!attached[1]); attach(1, one_core, FRESH)
    fi
}

inline start_granted(granted)
{
    if
    :: granted & 1 -> start_one(1)
    :: else
    fi;
    if
    :: granted & 2 -> start_one(2)
    :: else
    fi
}

/* RUNNABLE_M goes on when cores are there and all has left; RUNNABLE_S when all has left. */
inline go_on()
{
    if
    :: state == RUNNABLE_M && first_grant && !attached[0] && !attached[1] ->
        move(RUNNING_M);
        start_granted(first_grant);
        first_grant = 0
#ifdef BROKEN_EARLY_RESUME
    :: state == RUNNABLE_S && (!attached[0] || !attached[1]) && !attached[single] ->
#else
    :: state == RUNNABLE_S && !attached[0] && !attached[1] ->
#endif
        move(RUNNING_S);
        assert(in_frame && !attached[1 - single]); /* the only one */
        attach(single, 0, SAVED)
    :: else
    fi
}

inline wake()
{
    if
    :: state == WAITING && waits == FOR_EVENT && !from_m ->
        pending[0] = 0;
        pending[1] = 0;
        move(RUNNABLE_S);
        move(RUNNING_S);
        answer(single)
    :: state == WAITING && waits == FOR_EVENT && from_m ->
        move(RUNNABLE_M);
        wanted = 1;
        want(WANT, 1)
    :: else
    fi
}

inline wait_for(wait_what, many)
{
    move(WAITING);
    waits = wait_what;
    from_m = many
}

inline request(asker, asked_for)
{
    if
    :: asked_for > 0 && state == RUNNING_S ->
        wanted = asked_for;
        want(WANT, asked_for);
        wait_for(FOR_CORES, 0)
    :: asked_for > 0 && state == RUNNING_M ->
        wanted = asked_for;
        want(WANT, asked_for);
        asking[askers] = asker;
        askers++
    :: asked_for == 0 && state == RUNNING_M ->
        wanted = 0;
        want(QUIET, 0);
        single = asker;
        if
        :: askers > 0 && asking[0] == 1 - asker -> askers = 0; taken_back++
        :: else
        fi;
        stop_and_answer(1 - asker, DROP);
        stop_and_answer(asker, SAVE);
        move(RUNNABLE_S)
    :: else -> answer(asker)
    fi
}

inline take_pending(was)
{
    was = pending[0] || pending[1];
    pending[0] = 0;
    pending[1] = 0
}

inline yield(yielder, must_wait)
{
    vcores_running(running);
    if
    :: state == RUNNING_S && !must_wait ->
        move(RUNNABLE_S);
        if
        :: true -> stop_and_answer(yielder, SAVE)   /* another management core is idler: here, the same one */
        :: move(RUNNING_S); answer(yielder)
        fi
    :: state == RUNNING_S && must_wait ->
#ifdef BROKEN_YIELD_BLIND
        flag = 0;
#else
        take_pending(flag);
#endif
        if
        :: flag -> answer(yielder)
        :: else -> wait_for(FOR_EVENT, 0)
        fi
    :: state == RUNNING_M && running > 1 ->
        wanted = 1;
        want(QUIET, 1);
        stop_and_answer(yielder, DROP)
    :: state == RUNNING_M && running == 1 ->
        take_pending(flag);
        if
        :: flag -> answer(yielder)
        :: else ->
            wait_for(FOR_EVENT, 1);
            wanted = 0;
#ifdef BROKEN_NOT_KEPT
            want(QUIET, 0);
#else
            want(KEEP, 0); /* so that the want of who wakes it is not refused */
#endif
            stop_and_answer(yielder, DROP)
        fi
    :: else -> answer(yielder)
    fi
}

inline on_report(from_core)
{
    report[from_core] ? what, vcore, number;
    if
    :: what == STOPPED ->
        assert(attached[vcore] && stop_sent[vcore] && core_of[vcore] == from_core);
        attached[vcore] = 0;
        stop_sent[vcore] = 0;
        if
        :: from_core > 0 -> give_back(from_core)
        :: else
        fi;
        go_on();
        try_end()
    :: what != STOPPED && (dying || stop_sent[vcore]) -> call_open[vcore] = 1; answer(vcore)
    :: what != STOPPED && !dying && !stop_sent[vcore] ->
        call_open[vcore] = 1;
        if
        :: what == REQUEST -> request(vcore, number)
        :: what == YIELD -> yield(vcore, 0)
        :: what == YIELD_WAIT -> yield(vcore, 1)
        :: what == EXIT || what == FAULT -> end_process(DYING)
        fi
    fi
}

inline on_grant()
{
    grant ? kind, cores;
    assert(state != GONE);
    if
    :: kind != LATER -> wants_open--
    :: else
    fi;
    if
    :: kind != LATER && taken_back > 0 && !dying -> taken_back--;
    :: kind != LATER && taken_back == 0 && askers > 0 && !dying ->
        answer(asking[0]);
        asking[0] = asking[1];
        askers--
    :: else
    fi;
    if
    :: dying -> give_back(cores); try_end()
    :: state == WAITING && waits == FOR_CORES && cores ->
        first_grant = cores;
        move(RUNNABLE_M);
        stop_and_answer(single, SLOT)
    :: state == WAITING && waits == FOR_CORES && !cores && kind == REFUSED ->
        move(RUNNABLE_S);
        move(RUNNING_S);
        answer(single)
    :: state == RUNNABLE_M -> first_grant = first_grant | cores; go_on()
    :: state == RUNNING_M -> start_granted(cores)
#ifdef BROKEN_STALE_GRANT
    :: else
#else
    :: else -> /* it wanted them before it changed its mind */
        assert(!(state == WAITING && waits == FOR_CORES) || !cores);
        give_back(cores)
#endif
    fi;
    cores = 0
}

proctype home()
{
    mtype what, kind, how;
    byte vcore, number, cores, from;
    bit flag;
    atomic {
        move(RUNNABLE_S);
        move(RUNNING_S);
        attach(0, 0, FRESH)
    };
end:
    do
    :: atomic { nempty(report[0]) || nempty(report[1]) || nempty(report[2]) ->
        if
        :: nempty(report[0]) -> from = 0
        :: nempty(report[1]) -> from = 1
        :: nempty(report[2]) -> from = 2
        fi;
        on_report(from);
        what = 0; vcore = 0; number = 0; flag = 0; running = 0; from = 0 }
    :: atomic { nempty(grant) -> on_grant(); kind = 0; cores = 0 }
    :: atomic { events > 0 && state != GONE -> events--;
        if
        :: pending[0] = 1
        :: pending[1] = 1
        fi;
        wake() }
    :: atomic { kills > 0 && state != GONE -> kills--;
        if
        :: how = DYING
        :: how = DYING_ABORT
        fi;
        end_process(how);
        how = 0 }
    /* Nothing moves any more: it waits, and rightly so; or it has ended. */
    :: atomic { timeout && state != GONE ->
        assert(state == WAITING);
        assert(waits == FOR_EVENT && !pending[0] && !pending[1] || waits == FOR_CORES && !idle);
        end_process(DYING) }
    od
}

proctype driver(byte core)
{
    mtype what, how, then;
    byte vcore, mine = NOBODY;
    bit asked, stopping;
end:
    do
    :: atomic { command[core] ? what, vcore, how ->
        if
        :: what == START ->
            assert(mine == NOBODY);
            mine = vcore;
            if
            :: how == SAVED -> assert(in_frame && !at_driver); in_frame = 0; at_driver = 1
            :: else
            fi
        :: what == STOP ->
            assert(mine == vcore && !stopping);
            assert(how == DROP || asked); /* a context that goes on is that of a call */
            stopping = 1;
            then = how
        :: what == ANSWER -> assert(mine == vcore && asked); asked = 0
        fi;
        if
        :: stopping && !asked ->
            if
            :: then == SAVE -> assert(!in_frame); in_frame = 1; at_driver = 0
            :: then == SLOT -> assert(!in_slot); in_slot = 1; at_driver = 0
            :: else
            fi;
            assert(nfull(report[core]));
            report[core] ! STOPPED, mine, 0;
            mine = NOBODY;
            stopping = 0;
            then = 0
        :: else
        fi;
        what = 0; how = 0; vcore = 0
       }
    :: atomic { mine != NOBODY && !asked && calls > 0 ->
        calls--;
        asked = 1;
        assert(nfull(report[core]));
        if
        :: report[core] ! REQUEST, mine, 0
        :: report[core] ! REQUEST, mine, 1
        :: report[core] ! REQUEST, mine, 2
        :: report[core] ! YIELD, mine, 0
        :: report[core] ! YIELD_WAIT, mine, 0
        fi }
    :: atomic { mine != NOBODY && !asked && calls == 0 ->
        asked = 1;
        assert(nfull(report[core]));
        if
        :: report[core] ! EXIT, mine, 0
        :: report[core] ! FAULT, mine, 0
        fi }
    od
}

inline serve(serve_kind)
{
    cores = 0;
    if
    :: claim_has < claim_wants && (idle & 1) -> cores = 1; claim_has++
    :: else
    fi;
    if
    :: claim_has < claim_wants && (idle & 2) -> cores = cores | 2; claim_has++
    :: else
    fi;
    idle = idle & ~cores;
    if
    :: serve_kind == ANSWERED || cores -> assert(nfull(grant)); grant ! serve_kind, cores
    :: else
    fi
}

proctype allocator()
{
    mtype what;
    byte number, cores;
end:
    do
    :: atomic { to_allocator ? what, number ->
        if
        :: what == WANT && number > 0 && !claim -> /* no memory to keep it, perhaps */
            if
            :: claim = 1; claim_wants = number; serve(ANSWERED)
            :: grant ! REFUSED, 0
            fi
        :: what == WANT && !(number > 0 && !claim) ->
            claim_kept = 0;
            claim_wants = number;
            serve(ANSWERED)
        :: what == QUIET || what == KEEP -> claim_wants = number; claim_kept = (what == KEEP)
        :: what == RETURN ->
            assert(!(idle & number) && claim_has > 0);
            idle = idle | number;
            claim_has--;
            serve(LATER)
        fi;
        claim = claim && (claim_wants || claim_has || claim_kept);
        what = 0; number = 0; cores = 0
       }
    od
}

/* All is over, and all is back. */
proctype checker()
{
    atomic {
        (state == GONE && empty(to_allocator) && empty(grant) && empty(report[0]) && empty(report[1]) &&
         empty(report[2]) && empty(command[0]) && empty(command[1]) && empty(command[2]));
        assert(idle == ALL_CORES && claim_has == 0 && first_grant == 0)
    }
}

init
{
    atomic {
        run home();
        run driver(0);
        run driver(1);
        run driver(2);
        run allocator();
        run checker()
    }
}
