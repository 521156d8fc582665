# make fuzz: the hostile-input parsers under ASan and UBSan for FUZZ_SECONDS in
# all.  With clang's libFuzzer where that links (FUZZ_ENGINE=main: not even
# then), else with the small engine of fuzz_main.c.

FUZZ_SECONDS = 60
FUZZ_SEED = 1
FUZZ_ENGINE =
FUZZ_OUT = build/fuzz
FUZZ_SAN = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer -O1 -g

FUZZERS = fuzz_corenote fuzz_elfsym fuzz_dump fuzz_corestream fuzz_corerecv \
	fuzz_track fuzz_sample
fuzz_corenote_OBJ = $(CORE) base/io base/deadline base/num
fuzz_corenote_SEEDS = t/fixtures/core*
fuzz_elfsym_OBJ = $(ELFSYM) base/io base/deadline base/num
fuzz_elfsym_LIB = $(if $(LZMA),-llzma)
fuzz_elfsym_SEEDS = t/fixtures/*.elf t/fixtures/crash.x86_64
fuzz_dump_OBJ = $(CORE) base/io base/deadline base/num proc/maps proc/procdir \
	proc/procinfo $(UNW) unwind/target_notes unwind/target_core $(REPORT)
fuzz_dump_LIB = $(UNWIND)
fuzz_dump_SEEDS = t/fixtures/core* t/fixtures/lib*.elf
fuzz_corestream_OBJ = $(STREAM) core/proxyhdr $(NET) base/io base/num \
	base/deadline
fuzz_corestream_SEEDS = t/fixtures/stream* t/fixtures/proxy*
fuzz_corerecv_OBJ = $(RECV) $(STREAM) $(NET) base/io base/num base/deadline
fuzz_corerecv_SEEDS = t/fixtures/stream* t/fixtures/proxy* t/fixtures/core*

fuzz_track_OBJ = $(MAPBOOK) base/io
fuzz_track_SEEDS = t/fixtures/perf.records
fuzz_sample_OBJ = $(MODCACHE) unwind/target_sample $(UNW) $(CORE) base/io \
	base/deadline base/num proc/maps
fuzz_sample_LIB = $(UNWIND)
fuzz_sample_SEEDS = t/fixtures/*.elf t/fixtures/crash.x86_64

define fuzzer
$(FUZZ_OUT)/$(1): t/fuzz/$(1).c t/fuzz/fuzz_main.c \
    $(addprefix src/,$(addsuffix .c,$($(1)_OBJ)))
	@mkdir -p $$(@D)
	@rm -f $$@.libfuzzer
	@if [ "$(FUZZ_ENGINE)" != main ] && \
	    clang -std=gnu11 -D_GNU_SOURCE -Isrc $$(WARN) $$(FUZZ_SAN) \
		-fsanitize=fuzzer $$(DEFS) -o $$@ \
		$$(filter-out %fuzz_main.c,$$^) $$($(1)_LIB) 2>$$@.log; then \
		touch $$@.libfuzzer; \
	else \
		$$(CC) -std=gnu11 -D_GNU_SOURCE -Isrc $$(WARN) $$(FUZZ_SAN) \
		    $$(DEFS) -o $$@ $$^ $$($(1)_LIB); \
	fi

.PHONY: run-$(1)
run-$(1): $(FUZZ_OUT)/$(1)
	@secs=$$$$(( ($(FUZZ_SECONDS) + 1) / $(words $(FUZZERS)) )); \
	if [ -e $(FUZZ_OUT)/$(1).libfuzzer ]; then \
		mkdir -p $(FUZZ_OUT)/$(1).corpus && \
		cp $$($(1)_SEEDS) $(FUZZ_OUT)/$(1).corpus/ && \
		$(FUZZ_OUT)/$(1) -max_total_time=$$$$secs -seed=$(FUZZ_SEED) \
		    -max_len=65536 -timeout=20 -print_final_stats=1 \
		    -artifact_prefix=$(FUZZ_OUT)/$(1). $(FUZZ_OUT)/$(1).corpus \
		    >$(FUZZ_OUT)/$(1).log 2>&1 || \
		    { tail -50 $(FUZZ_OUT)/$(1).log; exit 1; }; \
		sed -n 's/^stat::number_of_executed_units: */$(1): inputs: /p' \
		    $(FUZZ_OUT)/$(1).log; \
	else \
		$(FUZZ_OUT)/$(1) $$$$secs $(FUZZ_SEED) $$($(1)_SEEDS); \
	fi
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))

fuzz: $(FUZZERS:%=run-%)

.PHONY: fuzz
