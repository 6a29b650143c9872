#!/usr/bin/python3
"""Makes the kernel's table of function names: nm's output on standard input, assembly on standard output."""
import sys


def main():
    symbols = []
    for line in sys.stdin:
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tT" and int(fields[0], 16) >> 31 == 0x1FFFFFFFF:
            if not fields[2].startswith(("stub_", ".L")):
                symbols.append((int(fields[0], 16) & 0xFFFFFFFF, fields[2]))
    symbols.sort()
    print('    .section .symbols, "a"\n    .balign 8')
    print("    .globl symbol_table, symbol_count, symbol_names")
    print("symbol_table:")
    names, offset = [], 0
    for address, name in symbols:
        print(f"    .long {address:#x}, {offset}")
        names.append(name)
        offset += len(name) + 1
    print(f"symbol_count:\n    .long {len(symbols)}\nsymbol_names:")
    for name in names:
        print(f'    .asciz "{name}"')
    print('    .byte 0\n    .section .note.GNU-stack, "", @progbits')


main()
