// sources: kernel/account.c lib/string.c
/* Page tables of processes, held against a plain list of pages: what is mapped, and that every
 * frame and table comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/host_frames.h"

enum { PAGES = 4 * 512, ROUNDS = 20000 };
#define BASE 0x7fc00000ull /* 2 MiB-aligned, and a GiB ends in the middle */

/* --- the model ------------------------------------------------------------------------------- */

static struct model {
    frame_t frame; /* 0: nothing is mapped */
    uint8_t prot;
    bool large;
} model[PAGES];
static struct frame_account account;
static frame_t root;

static uint64_t address_of(unsigned page)
{
    return BASE + (uint64_t)page * PAGE_BYTES;
}

static void start(unsigned limit)
{
    memset(frames, 0, sizeof frames);
    memset(model, 0, sizeof model);
    frames_left = FRAMES - 1100;
    account = (struct frame_account){.owner = {0, 7}, .limit = limit};
    int error = 0;
    root = arch_root_make(&account, &error);
    assert_true(root && !error);
}

static void check(void)
{
    unsigned budget = ~0u;
    uint64_t next = arch_user_next(root, BASE, address_of(PAGES), &budget);
    for (unsigned page = 0; page < PAGES; page++) {
        struct user_piece piece;
        unsigned prot;
        int found = arch_user_find(root, address_of(page), &piece, &prot);
        assert_int_equal(found, model[page].frame != 0);
        if (!found)
            continue;
        assert_int_equal(next, piece.pages == 1 ? address_of(page) : piece.address);
        assert_int_equal(prot, model[page].prot);
        assert_int_equal(piece.pages, model[page].large ? 512 : 1);
        assert_int_equal(piece.frame + (address_of(page) - piece.address) / PAGE_BYTES,
                         model[page].frame);
        unsigned ahead = model[page].large ? 512 - page % 512 : 1;
        if (page + ahead >= PAGES)
            break;
        next = arch_user_next(root, address_of(page + ahead), address_of(PAGES), &budget);
        page += ahead - 1;
    }
}

static void piece_free(const struct user_piece *piece)
{
    if (piece->pages == 0)
        for (unsigned i = 0; i < PAGE_BYTES / 8; i++)
            assert_int_equal(((uint64_t *)frame_pointer(piece->frame))[i], 0);
    if (piece->pages > 1)
        account_free_block(&account, piece->frame, 9);
    else
        account_free(&account, piece->frame);
}

static void forget(unsigned page)
{
    model[page] = (struct model){0};
}

/* Takes out [first, last), some pieces at a time. */
static void take(unsigned first, unsigned last)
{
    uint64_t at = address_of(first), end = address_of(last);
    while (at < end) {
        struct user_piece piece[16];
        unsigned budget = 1 + (unsigned)rand() % 600, most = 3 + (unsigned)rand() % 14;
        unsigned pieces = arch_user_take(root, &at, end, piece, most, &budget);
        assert_true(pieces <= most);
        for (unsigned i = 0; i < pieces; i++) {
            unsigned page = (unsigned)((piece[i].address - BASE) / PAGE_BYTES);
            assert_int_equal(frames[piece[i].frame].kind,
                             piece[i].pages ? FRAME_USER : FRAME_USER_TABLE);
            for (unsigned j = 0; j < piece[i].pages; j++) {
                assert_true(page + j >= first && page + j < last);
                assert_int_equal(model[page + j].frame, piece[i].frame + j);
                forget(page + j);
            }
            piece_free(&piece[i]);
        }
    }
    for (unsigned page = first; page < last; page++)
        assert_int_equal(model[page].frame, 0);
}

/* All is taken out, tables that a refused call left too: nothing is left but the root. */
static void finish(void)
{
    uint64_t at = 0;
    struct user_piece piece[8];
    while (at < 1ull << SLOT_SHIFT) {
        unsigned budget = 4096,
                 pieces = arch_user_take(root, &at, 1ull << SLOT_SHIFT, piece, 8, &budget);
        for (unsigned i = 0; i < pieces; i++)
            piece_free(&piece[i]);
    }
    account_free(&account, root);
    assert_int_equal(account.used, 0);
    for (unsigned i = 0; i < FRAMES; i++)
        assert_false(frames[i].used);
}

/* --- operations ------------------------------------------------------------------------------ */

static const unsigned prots[] = {0, PROT_R, PROT_R | PROT_W, PROT_R | PROT_X};

static void map(unsigned page, unsigned prot)
{
    int error = 0;
    frame_t frame = account_alloc(&account, FRAME_USER, &error);
    if (frame)
        error = arch_user_map(root, address_of(page), frame, prot, &account);
    if (model[page].frame && frame)
        assert_int_equal(error, -E_EXISTS);
    if (!error)
        model[page] = (struct model){frame, (uint8_t)prot, false};
    else if (frame)
        account_free(&account, frame);
}

static void map_large(unsigned first, unsigned prot)
{
    int error = 0;
    frame_t frame = account_alloc_block(&account, 9, FRAME_USER, &error);
    if (!frame)
        return;
    error = arch_user_map_large(root, address_of(first), frame, prot, &account);
    for (unsigned i = 0; i < 512; i++)
        if (!error)
            model[first + i] = (struct model){frame + i, (uint8_t)prot, true};
        else if (model[first + i].frame)
            assert_true(error == -E_EXISTS || error == -E_LIMIT || error == -E_NO_MEMORY);
    if (error)
        account_free_block(&account, frame, 9);
}

static int split(unsigned page)
{
    if (page == PAGES)
        return 0;
    int error = arch_user_split(root, address_of(page), &account);
    if (!error && page % 512)
        for (unsigned i = page & ~511u; i < (page | 511u) + 1; i++)
            model[i].large = false;
    return error;
}

static void map_run(unsigned first, unsigned last, unsigned prot)
{
    frame_t frame[64];
    unsigned pages = 0;
    int error = 0;
    for (unsigned page = first; page < last; page++)
        if (model[page].frame)
            return;
    error = arch_user_prepare(root, address_of(first), address_of(last), &account);
    while (!error && pages < last - first)
        if ((frame[pages] = account_alloc(&account, FRAME_USER, &error)))
            pages++;
    if (!error)
        arch_user_map_run(root, address_of(first), frame, pages, prot);
    for (unsigned i = 0; i < pages; i++)
        if (error)
            account_free(&account, frame[i]);
        else
            model[first + i] = (struct model){frame[i], (uint8_t)prot, false};
}

/* 2 MiB from one place to another, if nothing is mapped there; to nowhere if that fails. */
static void move(unsigned from, unsigned to, unsigned prot)
{
    struct user_block block;
    unsigned mapped = 0, before = account.used;
    for (unsigned i = 0; i < 512; i++)
        mapped += model[from + i].frame != 0;
    arch_user_protect(root, address_of(from), address_of(from + 512), PROT_R);
    arch_user_detach(root, address_of(from), PROT_R, &block);
    if (mapped)
        assert_int_equal(block.frames, model[from].large ? 512 : mapped + 1);
    struct model moved[512];
    memcpy(moved, &model[from], sizeof moved);
    for (unsigned i = 0; i < 512; i++)
        forget(from + i);
    int error = arch_user_attach(root, address_of(to), &block, prot, &account);
    if (!error) {
        assert_int_equal(block.entry, 0);
        for (unsigned i = 0; i < 512; i++)
            if (moved[i].frame)
                model[to + i] = (struct model){moved[i].frame, (uint8_t)prot, moved[i].large};
        return;
    }
    uint64_t offset = 0;
    while (block.entry) {
        struct user_piece piece[8];
        unsigned budget = 100, pieces = arch_block_take(&block, &offset, piece, 8, &budget);
        for (unsigned i = 0; i < pieces; i++) {
            if (piece[i].pages)
                assert_int_equal(piece[i].frame, moved[piece[i].address / PAGE_BYTES].frame);
            mapped -= piece[i].pages;
            piece_free(&piece[i]);
        }
    }
    assert_int_equal(mapped, 0);
    assert_true(account.used <= before);
}

static void step(void)
{
    unsigned first = (unsigned)rand() % PAGES, last = first + 1 + (unsigned)rand() % 64;
    unsigned prot = prots[rand() % 4];
    if (rand() % 16 == 0) {
        first = 0;
        last = PAGES;
    }
    if (last > PAGES)
        last = PAGES;
    switch (rand() % 8) {
    case 0:
    case 1:
        map(first, prot);
        break;
    case 2:
        map_large(first & ~511u, prot);
        break;
    case 3:
    case 4:
        if (last - first <= 64)
            map_run(first, last, prot);
        break;
    case 5:
        if (!split(first) && !split(last))
            take(first, last);
        break;
    case 6:
        if (split(first) || split(last))
            break;
        arch_user_protect(root, address_of(first), address_of(last), prot);
        for (unsigned page = first; page < last; page++)
            model[page].prot = (uint8_t)prot;
        break;
    case 7:
        move(first & ~511u, (first & ~511u) ^ (512u << rand() % 2), prot);
        break;
    }
}

static void random_changes(void **state)
{
    srand(11);
    for (unsigned run = 0; run < 4; run++) {
        start(run % 2 ? 1500 : ACCOUNT_UNLIMITED); /* every other one runs into its limit */
        for (unsigned round = 0; round < ROUNDS / 4; round++) {
            step();
            if (round % 20 == 0)
                check();
        }
        finish();
    }
}

static void out_of_memory_is_an_error(void **state)
{
    start(ACCOUNT_UNLIMITED);
    for (unsigned left = 0; left < 2; left++) {
        frames_left = left;
        assert_int_equal(arch_user_map(root, BASE, 5, PROT_R, &account), -E_NO_MEMORY);
    }
    frames_left = 100;
    account.limit = account.used;
    assert_int_equal(arch_user_map(root, BASE + (1 << 30), 5, PROT_R, &account), -E_LIMIT);
    finish();
}

static void a_page_without_access_is_kept(void **state)
{
    start(ACCOUNT_UNLIMITED);
    map(3, 0);
    map_large(512, 0);
    check();
    struct user_piece piece;
    unsigned prot;
    assert_true(arch_user_find(root, address_of(512 + 9), &piece, &prot));
    assert_int_equal(piece.pages, 512);
    arch_user_protect(root, BASE, address_of(1024), PROT_R | PROT_W);
    for (unsigned page = 0; page < 1024; page++)
        model[page].prot = PROT_R | PROT_W;
    check();
    finish();
}

static void empty_tables_come_back_with_their_last_page(void **state)
{
    start(ACCOUNT_UNLIMITED);
    unsigned before = account.used;
    for (unsigned page = 500; page < 530; page++)
        map(page, PROT_R);
    assert_int_equal(account.used, before + 30 + 3); /* two page tables and the one above */
    take(500, 529);
    assert_int_equal(account.used, before + 1 + 2);
    take(529, 530);
    assert_int_equal(account.used, before);
    finish();
}

static void a_page_is_replaced(void **state)
{
    start(ACCOUNT_UNLIMITED);
    map(3, PROT_R);
    int error = 0;
    frame_t frame = account_alloc(&account, FRAME_USER, &error);
    account_free(&account, arch_user_replace(root, address_of(3), frame, PROT_R | PROT_W));
    model[3] = (struct model){frame, PROT_R | PROT_W, false};
    check();
    finish();
}

int main(void)
{
    memory = aligned_alloc(2 << 20, (size_t)FRAMES * PAGE_BYTES);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(out_of_memory_is_an_error),
        cmocka_unit_test(a_page_without_access_is_kept),
        cmocka_unit_test(empty_tables_come_back_with_their_last_page),
        cmocka_unit_test(a_page_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
