# The runtime image: build/runtime.elf (with symbols) and build/runtime.bin (what the kernel maps).
RUNTIME_PORT := arch/x86_64/user
RUNTIME_SOURCES := $(wildcard runtime/*.c) $(wildcard $(RUNTIME_PORT)/*.c) lib/string.c lib/cpio.c
RUNTIME_ASSEMBLY := $(wildcard $(RUNTIME_PORT)/*.S)
RUNTIME_OBJECTS := $(RUNTIME_SOURCES:%.c=$(BUILD)/runtime/%.o) \
                   $(RUNTIME_ASSEMBLY:%.S=$(BUILD)/runtime/%.o)

# No FP or vector registers: a reflected trap leaves the program's in place. No TLS, no GOT: FS is the
# program's, and the image is linked to its one place.
RUNTIME_CFLAGS := -std=gnu17 -O2 -g $(WARN) -ffreestanding -fpie -include runtime/hidden.h \
    -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
    -fno-tree-loop-distribute-patterns -fno-common -I. -Iruntime/include -Iarch/x86_64

$(BUILD)/runtime/%.o: %.c runtime/runtime.mk
	@mkdir -p $(@D)
	$(CC) $(RUNTIME_CFLAGS) $(DEP) -c -o $@ $<

$(BUILD)/runtime/%.o: %.S runtime/runtime.mk
	@mkdir -p $(@D)
	$(CC) -g -I. -Iarch/x86_64 $(DEP) -c -o $@ $<

$(BUILD)/runtime.elf: $(RUNTIME_OBJECTS) $(RUNTIME_PORT)/runtime.ld
	$(LD) -static -z max-page-size=4096 \
	    -T $(RUNTIME_PORT)/runtime.ld -o $@ $(RUNTIME_OBJECTS)

$(BUILD)/runtime.bin: $(BUILD)/runtime.elf
	$(OBJCOPY) -O binary -j .text -j .rodata -j .data $< $@
