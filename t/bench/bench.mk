# make bench: how fast, beside others; settings stand at the head of each script.

BENCH_OUT = build/bench
BENCH_BIN = $(BENCH_OUT)/clock $(BENCH_OUT)/bench_victim $(BENCH_OUT)/quit
BENCH_CC = $(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(if $(WERROR),-Werror)

$(BENCH_OUT)/clock: t/bench/clock.c t/bench/bench.h
	@mkdir -p $(@D)
	$(BENCH_CC) -O2 -g -o $@ $<

$(BENCH_OUT)/bench_victim: t/bench/victim.c t/bench/bench.h
	@mkdir -p $(@D)
	$(BENCH_CC) -O1 -g -o $@ $< -lpthread

$(BENCH_OUT)/quit: t/bench/quit.c
	@mkdir -p $(@D)
	$(BENCH_CC) -O2 -o $@ $<

bench: all $(BENCH_BIN)
	t/bench/report.sh
	t/bench/core.sh
	t/bench/tee.sh

bench-segfault: all victims
	t/bench/segfault.sh

.PHONY: bench bench-segfault
