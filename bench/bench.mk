# The measuring programs, the counting plug-in and the host benchmark: below build/bench.
BENCH_PROGRAMS := $(patsubst bench/programs/%.c,$(BUILD)/bench/bin/%,$(wildcard bench/programs/*.c))
BENCH_HOST := $(patsubst bench/host/%.c,$(BUILD)/bench/host/%,$(wildcard bench/host/*.c))

$(BUILD)/bench/bin/bench_matmul: bin/matmul/dense.c
$(BUILD)/bench/bin/%: bench/programs/%.c $(PROGRAM_HEADERS) bench/bench.mk
	@mkdir -p $(@D)
	$(MUSL) -static $(PROGRAM_CFLAGS) -ffp-contract=off -o $@ $(filter %.c,$^)

$(BUILD)/bench/pcount.so: bench/plugin/pcount.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 $(WARN) -shared -fPIC -o $@ $<

$(BUILD)/bench/host/%: bench/host/%.c bench/bench.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 $(WARN) -I. -pthread $(DEP) -MF $@.d -o $@ $<

bench: all $(INSTRUMENTED) $(BENCH_PROGRAMS) $(BENCH_HOST) $(BUILD)/bench/pcount.so

.PHONY: bench
