/* Two kernels and the channels between them: rings, credits, acknowledgements, backlog, doorbell.
 * docs/channel.md; the code is kernel/shared/ring.h, doorbell.h, link.h and channel.c.
 *
 * Smaller than life, in the same proportions: 6 slots, of which 2 for pure acknowledgements, one of
 * which is due every half window. Stores go through a store buffer (total store order: what x86 has, and the
 * doorbell's fences are there for). A message's payload is not apart from its header: ThreadSanitizer
 * checks that order on the real code.
 *
 * Checked: no message is lost, duplicated or reordered, none is overwritten while it is read; no kernel
 * halts for ever with a message unread or in a backlog; acknowledgements always find a slot and come
 * to an end. SEND_0 and SEND_1 are how many messages each kernel sends.
 * POLLING leaves out store buffers and doorbell: more messages in fewer states. Each BROKEN_ variant
 * must fail. */

#ifndef SEND_0
#define SEND_0 4
#endif
#ifndef SEND_1
#define SEND_1 2
#endif

#ifdef BROKEN_ACK_SLOT
#define SLOTS 5
#else
#define SLOTS 6
#endif
#ifdef BROKEN_WINDOW
#define WINDOW 7
#else
#define WINDOW 4
#endif
#ifdef BROKEN_SEQUENCE
#define SEQUENCES SLOTS
#else
#define SEQUENCES (2 * SLOTS)
#endif
#define ACK_EVERY 2
#define NUMBERS   16 /* message numbers run modulo this */

#define ACK_BODY 0         /* a pure acknowledgement; other bodies are 1 + number */
#define AWAY     255       /* a store to the doorbell, not to a slot */
#define DEPTH    3         /* of a store buffer */

typedef slot_t { byte sequence; byte ack; byte body };
typedef ring_t { slot_t slot[SLOTS] };

ring_t ring[2];            /* ring[k] is written by kernel k */
bit away[2], bell[2];
byte got[2];               /* how many messages each has handled */
chan buffer[2] = [DEPTH] of { byte, byte, byte, byte }; /* where, sequence or away, ack, body */

inline store(who, where, value, ack_value, body_value)
{
    if
    :: where == AWAY -> away[who] = value
    :: else ->
        ring[who].slot[where].ack = ack_value;
        ring[who].slot[where].body = body_value;
        ring[who].slot[where].sequence = value
    fi
}

#define everything (got[0] == SEND_1 && got[1] == SEND_0)

/* Stores leave a kernel's buffer in order, at any time. */
proctype memory(bit me)
{
    byte at, value, ack, body;
end:
    do
    :: atomic {
        buffer[me] ? at, value, ack, body ->
        store(me, at, value, ack, body);
        at = 0; value = 0; ack = 0; body = 0
       }
    od
}

#define next_sequence ((taken + 1) % SEQUENCES)
#define next_slot     ring[1 - me].slot[(taken + 1) % SLOTS]
#define arrived       (next_slot.sequence == next_sequence)

#ifdef POLLING
#define room              true
#define fence             true
#define put(at, value, ack, body) store(me, at, value, ack, body)
#else
#define room              nfull(buffer[me])
#define fence             empty(buffer[me])
#define put(at, value, ack, body) buffer[me] ! at, value, ack, body
#endif

/* The steps that only this kernel sees are taken together: what others see is when a store leaves
 * the buffer. */
inline publish(what)
{
    room ->
    sent = (sent + 1) % SEQUENCES;
    under_way++;
    put(sent % SLOTS, sent, taken, what);
    until_ack = ACK_EVERY;
    look = 1
}

inline publish_number()
{
    publish(1 + number);
    number = (number + 1) % NUMBERS
}

/* doorbell_needed, and the bell: after publishing. */
inline look_at_doorbell()
{
#ifdef POLLING
    look = 0
#else
    if
    :: look ->
#ifdef BROKEN_SENDER_FENCE
        look = 0;
#else
        atomic { fence -> look = 0 };
#endif
        if
        :: away[1 - me] == 0
        :: else ->
            atomic {
                fence ->
                if
                :: away[1 - me] -> away[1 - me] = 0; bell[1 - me] = 1
                :: else
                fi
            }
        fi
    :: else
    fi
#endif
}

/* actor_send by whatever runs on this kernel. */
inline send()
{
    left--;
    if
    :: under_way < WINDOW ->
        assert(backlog == 0); /* else it would overtake */
        publish_number()
    :: under_way >= WINDOW -> backlog++
    fi
}

inline flush()
{
    do
    :: backlog > 0 && under_way < WINDOW ->
        backlog--;
        publish_number();
#ifdef BROKEN_ORDER
        break /* with credit left that a later message finds */
#endif
    :: else -> break
    od
}

/* The acknowledgement that the awaited message carries. */
inline learn()
{
    told = (sent + SEQUENCES - next_slot.ack) % SEQUENCES;
    assert(told <= under_way);
    under_way = told;
    told = 0
}

/* links_poll: one message. The handler may send before the slot is given back. Credit is learned only
 * when the message that tells it is taken, so that whatever uses the credit acknowledges it. */
inline take()
{
#ifdef BROKEN_LEARN
    atomic { learn(); flush() };
    look_at_doorbell();
#endif
    if
    :: next_slot.body != ACK_BODY ->
progress:
        atomic {
            body = next_slot.body;
            assert(body == 1 + awaited);
            awaited = (awaited + 1) % NUMBERS;
            if
            :: left > 0 -> send()
            :: true
            fi
        }
        look_at_doorbell();
        atomic {
            assert(arrived && next_slot.body == body);
            got[me]++;
            body = 0;
            until_ack--
        }
    :: else
#ifdef BROKEN_ACK_ACK
        -> until_ack = 0
#endif
    fi;
    atomic {
#ifndef BROKEN_LEARN
        learn();
#endif
        taken = next_sequence;
#ifndef BROKEN_FLUSH
        flush()
#endif
    }
    look_at_doorbell();
#ifndef BROKEN_NO_ACK
    if
    :: until_ack == 0 ->
        atomic { assert(under_way < SLOTS); publish(ACK_BODY) }
        look_at_doorbell()
    :: else
    fi
#endif
}

inline back()
{
    atomic { put(AWAY, 0, 0, 0) }
}

/* The event loop. A halted kernel is woken by its doorbell, or by a device, after which it sends. */
proctype kernel(bit me; byte left)
{
    byte sent, under_way, taken, number, awaited, backlog, body, told;
    byte until_ack = ACK_EVERY;
    bit look;

    do
    :: arrived -> take()
    :: atomic { left > 0 -> send() }; look_at_doorbell()
#ifdef POLLING
    :: !arrived && everything -> break
#else
    :: !arrived ->
#ifdef BROKEN_RECEIVER_FENCE
        atomic { put(AWAY, 1, 0, 0) };
#else
        atomic { fence -> away[me] = 1 }
#endif
        if
#ifndef BROKEN_SECOND_LOOK
        :: arrived -> back()
        :: !arrived ->
#else
        :: true ->
#endif
            if
            :: atomic { bell[me] -> bell[me] = 0 }; back()
            :: left > 0 -> back(); atomic { send() }; look_at_doorbell()
            :: everything -> break
            fi
        fi
#endif
    od
}

init {
    atomic {
        run memory(0); run memory(1);
        run kernel(0, SEND_0); run kernel(1, SEND_1)
    }
}
