# make bench: how fast, beside others, within a quarter of an hour; settings
# stand at the head of each script.
#
#   make bench BENCH=core          one of them
#   make bench BENCH=growth        how cost grows: not among them, it counts
#   make -s bench JSON=1 >FILE     an object a line, for a machine

BENCH = report core tee segfault
BENCH_OUT = build/bench
BENCH_BIN = $(BENCH_OUT)/clock $(BENCH_OUT)/bench_victim $(BENCH_OUT)/quit
BENCH_CC = $(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(if $(WERROR),-Werror)

$(BENCH_OUT)/clock: t/bench/clock.c t/bench/bench.h
	@mkdir -p $(@D)
	$(BENCH_CC) -O2 -g -o $@ $<

$(BENCH_OUT)/bench_victim: t/bench/victim.c t/bench/bench.h
	@mkdir -p $(@D)
	$(BENCH_CC) -O1 -g -o $@ $< -lpthread -ldl

# static where usercrash_c is: the floor is of its kind
$(BENCH_OUT)/quit: t/bench/quit.c
	@mkdir -p $(@D)
	$(BENCH_CC) -O2 -o $@ $< $(if $(filter usercrash_c,$(STATICS)),-static)

units: $(BENCH_BIN)

bench: all victims units
	@for b in $(BENCH); do \
		CC='$(CC)' t/bench/$$b.sh $(if $(JSON),--json) || bad=$$?; \
	done; exit $${bad:-0}

.PHONY: bench
