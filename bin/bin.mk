# Native programs: bin/NAME.c or all of bin/NAME/*.c make build/bin/NAME; tests/system/programs/*.c make
# build/tests/bin/NAME. The compiler and the C library are the distribution's.
PROGRAM_CFLAGS := -std=gnu17 -O2 -g $(WARN) -I. -Iruntime/include
PROGRAM_HEADERS := $(wildcard abi/*.h runtime/include/*.h)

PROGRAM_FILES := $(wildcard bin/*.c)
PROGRAM_FOLDERS := $(patsubst bin/%/,%,$(sort $(dir $(wildcard bin/*/*.c))))
PROGRAMS := $(PROGRAM_FILES:bin/%.c=$(BUILD)/bin/%) $(PROGRAM_FOLDERS:%=$(BUILD)/bin/%)
TEST_PROGRAMS := $(patsubst tests/system/programs/%.c,$(BUILD)/tests/bin/%, \
    $(wildcard tests/system/programs/*.c))

$(PROGRAM_FILES:bin/%.c=$(BUILD)/bin/%): $(BUILD)/bin/%: bin/%.c $(PROGRAM_HEADERS) bin/bin.mk
	@mkdir -p $(@D)
	$(MUSL) -static $(PROGRAM_CFLAGS) -o $@ $<

define PROGRAM_FOLDER_RULE
$(BUILD)/bin/$(1): $(wildcard bin/$(1)/*.c bin/$(1)/*.h) $(PROGRAM_HEADERS) bin/bin.mk
	@mkdir -p $$(@D)
	$$(MUSL) -static $$(PROGRAM_CFLAGS) -o $$@ $$(filter %.c,$$^)
endef
$(foreach folder,$(PROGRAM_FOLDERS),$(eval $(call PROGRAM_FOLDER_RULE,$(folder))))

$(TEST_PROGRAMS): $(BUILD)/tests/bin/%: tests/system/programs/%.c $(wildcard tests/system/programs/*.h) \
        $(PROGRAM_HEADERS) bin/bin.mk
	@mkdir -p $(@D)
	$(MUSL) -static $(PROGRAM_CFLAGS) -o $@ $<
