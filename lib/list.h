/* Doubly linked lists through the things that they hold. Invariant: a head is linked with itself
 * when its list is empty. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <stddef.h>

struct list {
    struct list *next, *before;
};

/* What a node is part of. */
#define LIST_ENTRY(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *head)
{
    head->next = head->before = head;
}

static inline int list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->before = head->before;
    node->next = head;
    head->before->next = node;
    head->before = node;
}

static inline void list_remove(struct list *node)
{
    node->before->next = node->next;
    node->next->before = node->before;
}

#endif
