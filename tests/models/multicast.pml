/* Multicasts: the tree of kernels, the answers up it, links that cannot be made, and two origins at once.
 * docs/multicast.md; the code is kernel/multicast.c.
 *
 * Four kernels; the first and the last are origins, twice and once, of sets that hold everybody else, or
 * everybody. A set is parted into up to two pieces in any way, not only evenly, so the trees are all there
 * can be, a chain and a star among them. An inner node's sending may be refused each time. Channels are
 * ordered and lossless: channel.pml says so.
 *
 * Checked: when an origin is told that all have performed, all have, and this round's operation; every round
 * comes to its end; between two kernels there is never more than one message of an origin under way, which
 * is what the nodes of ACCOUNT_MULTICAST are counted by. Each BROKEN_ variant must fail. */

#define ROUNDS_0 2
#define ROUNDS_1 1
#define KERNELS 4
#define LAST    (KERNELS - 1)
#define ORIGINS 2
#define ALL     15 /* the set of all kernels */

#define DOWN 1
#define UP   2

#define bit_of(core)         (1 << (core))
#define has(set, core)       ((set >> (core)) & 1)
#define ring(from, to)       rings[(from) * KERNELS + (to)]
#define core_of(origin)      ((origin) * LAST)
#define at(core, origin)     branch[(core) * ORIGINS + (origin)]
#define performed_by(core, origin) performed[(core) * ORIGINS + (origin)]

typedef branch_t { byte parent; byte pending; byte unreached; byte number };

chan rings[KERNELS * KERNELS] = [ORIGINS] of { byte, byte, byte, byte }; /* type, origin, set, number */
byte under_way[KERNELS * KERNELS * ORIGINS];
branch_t branch[KERNELS * ORIGINS];
byte performed[KERNELS * ORIGINS]; /* the number that the core performed last */
byte rounds[ORIGINS];              /* that have ended */
byte asked[ORIGINS];               /* the set of the round under way */

inline put(to, type, origin, set, nr)
{
    assert(under_way[(me * KERNELS + to) * ORIGINS + origin] == 0);
    under_way[(me * KERNELS + to) * ORIGINS + origin]++;
    ring(me, to) ! type, origin, set, nr
}

inline lowest(set)
{
    head = 0;
    do
    :: head < KERNELS && !has(set, head) -> head++
    :: else -> break
    od
}

/* Sends a piece to its lowest core, or does not reach it. */
inline send_piece(origin, set, nr)
{
    if
    :: set == 0
    :: set != 0 ->
        lowest(set);
        put(head, DOWN, origin, set, nr);
        at(me, origin).pending++
    :: set != 0 && me != core_of(origin) ->
        at(me, origin).unreached = at(me, origin).unreached | set
    fi
}

/* Any parting into two. */
inline send_pieces(origin, set, nr)
{
    first = 0;
    core = 0;
    do
    :: core < KERNELS && has(set, core) -> first = first | bit_of(core); core++
    :: core < KERNELS -> core++
    :: core == KERNELS -> break
    od;
    send_piece(origin, first, nr);
    send_piece(origin, (set & (ALL - first)), nr)
}

inline perform(origin, nr)
{
    assert(performed_by(me, origin) != nr);
    performed_by(me, origin) = nr
}

inline answer(origin)
{
#ifdef BROKEN_UNREACHED
    at(me, origin).unreached = 0;
#endif
    put(at(me, origin).parent, UP, origin, at(me, origin).unreached, at(me, origin).number)
}

inline begin(origin)
{
    number++;
    at(me, origin).number = number;
    at(me, origin).unreached = 0;
    if
    :: asked[origin] = ALL; perform(origin, number)
    :: asked[origin] = ALL & (ALL - bit_of(me))
    fi;
    send_pieces(origin, (asked[origin] & (ALL - bit_of(me))), number)
}

/* All that was sent by the origin is answered: who was not reached gets a message of its own. */
inline root_answered(origin)
{
    if
    :: at(me, origin).unreached ->
        rest = at(me, origin).unreached;
        at(me, origin).unreached = 0;
        core = 0;
        do
        :: core < KERNELS && has(rest, core) ->
            put(core, DOWN, origin, bit_of(core), number);
            at(me, origin).pending++;
            core++
        :: core < KERNELS && !has(rest, core) -> core++
        :: core == KERNELS -> break
        od;
        core = 0;
        rest = 0
    :: else ->
        core = 0;
        do
        :: core < KERNELS ->
            assert(!has(asked[origin], core) || performed_by(core, origin) == number);
            core++
        :: else -> break
        od;
        core = 0;
        rounds[origin]++;
        if
        :: rounds[origin] < (origin -> ROUNDS_1 : ROUNDS_0) -> begin(origin)
        :: else
        fi
    fi
}

inline take_down()
{
    assert(at(me, origin).pending == 0);
    at(me, origin).parent = from;
    at(me, origin).number = nr;
    at(me, origin).unreached = 0;
#ifdef BROKEN_WHOLE
    send_pieces(origin, (set & (ALL - bit_of(me)) & (ALL - bit_of(2))), nr);
#else
    send_pieces(origin, (set & (ALL - bit_of(me))), nr);
#endif
    perform(origin, nr);
#ifdef BROKEN_EARLY
    answer(origin)
#else
    if
    :: at(me, origin).pending == 0 -> answer(origin)
    :: else
    fi
#endif
}

inline take_up()
{
    assert(at(me, origin).pending > 0 && at(me, origin).number == nr);
    at(me, origin).pending--;
    at(me, origin).unreached = at(me, origin).unreached | set;
    if
#ifdef BROKEN_FIRST
    :: me == core_of(origin) -> root_answered(origin)
    :: at(me, origin).pending == 0 && me != core_of(origin) -> answer(origin)
#else
    :: at(me, origin).pending == 0 && me == core_of(origin) -> root_answered(origin)
#ifdef BROKEN_EARLY
    :: me != core_of(origin) -> skip
#else
    :: at(me, origin).pending == 0 && me != core_of(origin) -> answer(origin)
#endif
#endif
    :: else
    fi
}

/* The loop: one message of any peer. */
proctype kernel(byte me)
{
    byte from, type, origin, set, nr, head, first, core, rest, number;
    atomic {
        if
        :: me == 0 -> begin(0)
        :: me == LAST -> begin(1)
        :: else
        fi
    }
end:
    do
    :: atomic {
        if
        :: nempty(ring(0, me)) -> from = 0
        :: nempty(ring(1, me)) -> from = 1
        :: nempty(ring(2, me)) -> from = 2
        :: nempty(ring(3, me)) -> from = 3
        fi;
        ring(from, me) ? type, origin, set, nr;
        under_way[(from * KERNELS + me) * ORIGINS + origin]--;
        if
        :: type == DOWN -> take_down()
        :: type == UP -> take_up()
        fi;
        from = 0; type = 0; origin = 0; set = 0; nr = 0; head = 0; first = 0; core = 0; rest = 0
       }
    od
}

/* Every round ends: else this waits for ever. */
proctype watch()
{
    rounds[0] == ROUNDS_0 && rounds[1] == ROUNDS_1
}

init
{
    atomic {
        run kernel(0);
        run kernel(1);
        run kernel(2);
        run kernel(3);
        run watch()
    }
}
