/* cat [FILE...]: the files, one after another; without one, the standard input. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int complain(const char *name)
{
    fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
    return 1;
}

static int stream_print(FILE *in, const char *name)
{
    static char buffer[65536];
    size_t bytes;

    while ((bytes = fread(buffer, 1, sizeof buffer, in)) > 0) {
        if (fwrite(buffer, 1, bytes, stdout) < bytes)
            return complain("standard output");
    }
    return ferror(in) ? complain(name) : 0;
}

static int file_print(const char *name)
{
    FILE *in = fopen(name, "r");

    if (!in)
        return complain(name);
    int status = stream_print(in, name);
    fclose(in);
    return status;
}

int main(int argc, char *argv[])
{
    int status = 0;

    if (argc < 2)
        status = stream_print(stdin, "standard input");
    for (int i = 1; i < argc; i++)
        status |= file_print(argv[i]);
    if (fflush(stdout) != 0)
        status = complain("standard output");
    return status;
}
