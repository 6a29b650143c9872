# The kernel: build/kernel.elf, and the instrumented builds of kernel/probe.h below build/probe and
# build/paths. Linked twice: the table of
# function names is made from the first link and stands behind everything it names.
PORT := arch/x86_64
KERNEL_SOURCES := $(wildcard kernel/*.c kernel/shared/*.c $(PORT)/kernel/*.c $(PORT)/boot/*.c) \
    lib/string.c lib/format.c lib/cpio.c
KERNEL_ASSEMBLY := $(wildcard $(PORT)/kernel/*.S $(PORT)/boot/*.S)
KERNEL_CFLAGS := -std=gnu17 -O2 -g $(WARN) -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
    -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
    -fno-omit-frame-pointer -fno-common -fno-tree-loop-distribute-patterns -I.
KERNEL_LDFLAGS := -static -nostdlib -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments

# $(call kernel_rules,FOLDER,FLAGS,MORE SOURCES)
define kernel_rules
$(1)_OBJECTS := $$(patsubst %,$(1)/kernel/%.o,$$(KERNEL_SOURCES) $(3) $$(KERNEL_ASSEMBLY))

$(1)/kernel/%.c.o: %.c kernel/kernel.mk
	@mkdir -p $$(@D)
	$(CC) $$(KERNEL_CFLAGS) $(2) $(DEP) -c -o $$@ $$<

$(1)/kernel/%.S.o: %.S kernel/kernel.mk
	@mkdir -p $$(@D)
	$(CC) -g -I. $(2) $(DEP) -c -o $$@ $$<

$(1)/kernel/runtime_image.o: $(BUILD)/runtime.bin
	@mkdir -p $$(@D)
	printf '.section .runtime_image, "a"\n.incbin "%s"\n.section .note.GNU-stack, "", @progbits\n' $$< | \
	    $(CC) -c -x assembler -o $$@ -

$(1)/kernel/no_symbols.o: tools/symbols.py
	@mkdir -p $$(@D)
	/usr/bin/python3 tools/symbols.py < /dev/null | $(CC) -c -x assembler -o $$@ -

$(1)/kernel/first.elf: $$($(1)_OBJECTS) $(1)/kernel/runtime_image.o $(1)/kernel/no_symbols.o \
        $(PORT)/kernel/kernel.ld
	$(LD) $$(KERNEL_LDFLAGS) -T $(PORT)/kernel/kernel.ld -o $$@ $$(filter %.o,$$^)

$(1)/kernel/symbols.o: $(1)/kernel/first.elf tools/symbols.py
	nm $$< | /usr/bin/python3 tools/symbols.py | $(CC) -c -x assembler -o $$@ -

$(1)/kernel.elf: $(1)/kernel/first.elf $(1)/kernel/symbols.o
	$(LD) $$(KERNEL_LDFLAGS) -T $(PORT)/kernel/kernel.ld -o $$@ $$($(1)_OBJECTS) \
	    $(1)/kernel/runtime_image.o $(1)/kernel/symbols.o
endef

$(eval $(call kernel_rules,$(BUILD),,))
$(eval $(call kernel_rules,$(BUILD)/probe,-DPROBE,$(filter-out kernel/probe/path.c,$(wildcard kernel/probe/*.c))))
$(eval $(call kernel_rules,$(BUILD)/paths,-DPROBE -DPATHS,$(wildcard kernel/probe/*.c)))
