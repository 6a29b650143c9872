/* The one list of errors: name, sentence. System calls return them negated. */
#ifndef ABI_ERROR_H
#define ABI_ERROR_H

#define ERROR_LIST(X)                                                       \
    X(E_NO_CALL, "there is no such system call")                            \
    X(E_INVALID, "an argument is out of range")                             \
    X(E_ALIGN, "an address or a length is not a multiple of the page size") \
    X(E_RANGE, "the address range is not the process's to use")             \
    X(E_EXISTS, "something is mapped there already")                        \
    X(E_NO_ENTRY, "there is no such object")                                \
    X(E_NO_MEMORY, "out of memory")                                         \
    X(E_LIMIT, "a table or a queue is full")                                \
    X(E_PERMISSION, "the caller has no right to do that")                   \
    X(E_STATE, "the object is in the wrong state for that")                 \
    X(E_GONE, "the object has ended")                                       \
    X(E_DAMAGED, "the data is damaged")                                     \
    X(E_TOO_LONG, "the data does not fit")                                  \
    X(E_KIND, "the handle names another kind of object")                    \
    X(E_EMPTY, "nothing is there now")                                      \
    X(E_FULL, "the queue is full now")                                      \
    X(E_CLOSED, "the other end is closed")                                  \
    X(E_FILTERED, "the process's sandbox does not permit the call")         \
    X(E_QUOTA, "more pinned pages than the process may have")

enum error {
    E_OK,
#define ERROR_ENUM(name, text) name,
    ERROR_LIST(ERROR_ENUM)
#undef ERROR_ENUM
        ERRORS
};

#endif
