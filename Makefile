# Builds everything into build/. `./pando build` calls this; each folder's fragment says what it makes.
BUILD := build
CC := gcc
MUSL := musl-gcc
OBJCOPY := objcopy

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter -Werror
DEP = -MMD -MP

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

INSTRUMENTED := $(BUILD)/probe/kernel.elf $(BUILD)/paths/kernel.elf

include runtime/runtime.mk
include kernel/kernel.mk
include bin/bin.mk
include tests/unit/unit.mk
include tests/models/models.mk
include bench/bench.mk

all: $(BUILD)/kernel.elf $(PROGRAMS) $(if $(PROBE),$(INSTRUMENTED))

clean:
	rm -rf $(BUILD)

.PHONY: all clean
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
