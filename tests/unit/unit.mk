# Unit tests on the host. A test's first lines say what it is made of:
#   // sources: a.c b.c    linked into the test
#   // kernel: c.c d.c     linked into NAME.so, of which the test loads one copy for each kernel
# The stress tests stress_*.c have the same lines and run under ThreadSanitizer.
UNIT := $(BUILD)/tests/unit
UNIT_TESTS := $(basename $(notdir $(wildcard tests/unit/test_*.c)))
UNIT_STRESS := $(basename $(notdir $(wildcard tests/unit/stress_*.c)))
UNIT_FLAGS := -std=gnu17 -g -O1 -fno-omit-frame-pointer $(WARN) -I. -Iruntime/include
UNIT_ASAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined
# The doorbell's fence orders a store with a load, which ThreadSanitizer does not model: it only
# orders what is atomic anyway.
UNIT_TSAN := -fsanitize=thread -Wno-tsan -pthread

# $(call unit_list,FILE,WORD): what the line "// WORD:" of the file lists.
unit_list = $(shell sed -n '1,2s|^// $(2): ||p' $(1))

# $(call unit_rule,NAME,SANITIZER)
define unit_rule
$(UNIT)/$(1): tests/unit/$(1).c $(call unit_list,tests/unit/$(1).c,sources) tests/unit/unit.mk
	@mkdir -p $$(@D)
	$(CC) $(UNIT_FLAGS) $(2) $(DEP) -MF $$@.d -rdynamic -o $$@ $$(filter %.c,$$^) -lcmocka -ldl -lm
ifneq ($(call unit_list,tests/unit/$(1).c,kernel),)
$(UNIT)/$(1): $(UNIT)/$(1).so
$(UNIT)/$(1).so: $(call unit_list,tests/unit/$(1).c,kernel) tests/unit/unit.mk
	@mkdir -p $$(@D)
	$(CC) $(UNIT_FLAGS) $(2) $(DEP) -MF $$@.d -shared -fPIC -o $$@ $$(filter %.c,$$^)
endif
endef

$(foreach test,$(UNIT_TESTS),$(eval $(call unit_rule,$(test),$(UNIT_ASAN))))
$(foreach test,$(UNIT_STRESS),$(eval $(call unit_rule,$(test),$(UNIT_TSAN))))

unit: $(addprefix $(UNIT)/,$(UNIT_TESTS) $(UNIT_STRESS))

.PHONY: unit
