# make fuzz: the hostile-input parsers under ASan and UBSan for FUZZ_SECONDS in
# all.  With clang's libFuzzer where that links (FUZZ_ENGINE=main: not even
# then), else with the small engine of fuzz_main.c.  FUZZ_RUNS=N: so many inputs
# each instead, by libFuzzer.

FUZZ_SECONDS = 60
FUZZ_RUNS =
FUZZ_SEED = 1
FUZZ_ENGINE =
FUZZ_OUT = build/fuzz
FUZZ_SAN = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer -O1 -g

# each there is; one that is forgotten below does not link.  Its inputs are of at
# most _LEN bytes, 65536 where nothing is said: enough for what is parsed, and few
# enough for many a second
FUZZERS = $(filter-out fuzz_main,$(patsubst t/fuzz/%.c,%,$(sort \
	$(wildcard t/fuzz/fuzz_*.c))))
fuzz_corehead = core base
fuzz_corehead_SEEDS = t/fixtures/core*
fuzz_elfsym = elf base
fuzz_elfsym_LIB = $(if $(LZMA),-llzma)
fuzz_elfsym_SEEDS = t/fixtures/*.elf t/fixtures/crash.x86_64
fuzz_dump = report unwind target core proc elf memop out base
fuzz_dump_LIB = $(UNWIND)
fuzz_dump_LEN = 16384
fuzz_dump_SEEDS = t/fixtures/core* t/fixtures/lib*.elf
fuzz_corestream = store stream crash net lz4 base
fuzz_corestream_PART = stream_walk
fuzz_corestream_SEEDS = t/fixtures/stream* t/fixtures/proxy*
fuzz_corerecv = store core stream crash net lz4 base
fuzz_corerecv_SEEDS = t/fixtures/stream* t/fixtures/proxy* t/fixtures/core*
# connections that break: scripts, of which few bytes say much
fuzz_resume = store core stream crash net lz4 base
fuzz_resume_LEN = 512
fuzz_resume_SEEDS = t/fixtures/resume
fuzz_joint = send core stream crash net lz4 base
fuzz_joint_LEN = 512
fuzz_joint_SEEDS = t/fixtures/joint*

fuzz_lz4 = lz4 base
fuzz_lz4_LEN = 16384
fuzz_lz4_SEEDS = t/fixtures/core.x86_64 t/fixtures/stream

fuzz_track = track base
fuzz_track_SEEDS = t/fixtures/perf.records
fuzz_gopclntab = elf base
fuzz_gopclntab_SEEDS = t/fixtures/go* t/fixtures/lib.elf
fuzz_perfmap = elf base
fuzz_perfmap_SEEDS = t/fixtures/perf.map
fuzz_sample = unwind target core proc elf memop base
fuzz_sample_LIB = $(UNWIND)
fuzz_sample_LEN = 16384
fuzz_sample_SEEDS = t/fixtures/*.elf t/fixtures/crash.x86_64

fuzz_fault = report unwind target core proc elf memop out base
fuzz_fault_LIB = $(UNWIND)
fuzz_fault_PART = exception_fixture
fuzz_fault_SEEDS = t/fixtures/exception t/fixtures/panic t/fixtures/sigframe*

fuzz_ntfile = target core proc elf base
fuzz_ntfile_SEEDS = t/fixtures/ntfile
fuzz_linkmap = target core proc elf base
fuzz_linkmap_SEEDS = t/fixtures/linkmap

fuzz_trim = trim target core proc elf base
fuzz_trim_LIB = $(if $(LZMA),-llzma)
fuzz_trim_SEEDS = t/fixtures/core* t/fixtures/linkmap
fuzz_report = crashlog slots net out base
fuzz_report_LEN = 4096
fuzz_report_SEEDS = t/fixtures/report* t/fixtures/ledger

# the compiler, and the engine it brings: asked once
$(FUZZ_OUT)/cc:
	@mkdir -p $(@D)
	@if [ "$(FUZZ_ENGINE)" != main ] && printf '%s\n' '#include <stddef.h>' \
	    'int LLVMFuzzerTestOneInput(const char *, size_t);' \
	    'int LLVMFuzzerTestOneInput(const char *p, size_t n)' \
	    '{ return p && n ? 0 : 0; }' | clang -x c - -fsanitize=fuzzer \
	    -o /dev/null 2>/dev/null; \
	then echo clang -fsanitize=fuzzer; else echo $(CC); fi >$@

FUZZ_CC = $$(cat $(FUZZ_OUT)/cc)$(1) -std=gnu11 -D_GNU_SOURCE -Isrc $(WARN) \
	$(FUZZ_SAN) $(DEFS)

define fuzzobject
@mkdir -p $(@D)
@$(call FUZZ_CC,$(if $(shell grep fuzzer $(FUZZ_OUT)/cc),-no-link)) \
    -MMD -MP -c -o $@ $<
endef
$(FUZZ_OUT)/%.o: src/%.c $(FUZZ_OUT)/cc
	$(fuzzobject)
$(FUZZ_OUT)/t/%.o: t/unit/%.c $(FUZZ_OUT)/cc
	$(fuzzobject)

define fuzzroom
$(FUZZ_OUT)/$(1).a: $(patsubst src/%.c,$(FUZZ_OUT)/%.o,$(wildcard src/$(1)/*.c))
	@rm -f $$@
	@$$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call fuzzroom,$(r))))

define fuzzer
$(FUZZ_OUT)/$(1): t/fuzz/$(1).c t/fuzz/fuzz_main.c $(FUZZ_OUT)/cc \
    $$($(1)_PART:%=$(FUZZ_OUT)/t/%.o) \
    $(patsubst %,$(FUZZ_OUT)/%.a,$(filter $($(1)),$(ROOMS)))
	@grep -q fuzzer $(FUZZ_OUT)/cc && touch $$@.libfuzzer || \
	    rm -f $$@.libfuzzer
	@$$(call FUZZ_CC) -o $$@ $$< $$$$(grep -q fuzzer $(FUZZ_OUT)/cc || \
	    echo t/fuzz/fuzz_main.c) $$(filter %.o %.a,$$^) $$($(1)_LIB)

.PHONY: run-$(1)
run-$(1): $(FUZZ_OUT)/$(1)
	@secs=$$$$(( ($(FUZZ_SECONDS) + 1) / $(words $(FUZZERS)) )); \
	if [ -e $(FUZZ_OUT)/$(1).libfuzzer ]; then \
		mkdir -p $(FUZZ_OUT)/$(1).corpus && \
		$$(if $$($(1)_SEEDS),cp $$($(1)_SEEDS) \
		    $(FUZZ_OUT)/$(1).corpus/ &&) \
		$(FUZZ_OUT)/$(1) $(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),\
		    -max_total_time=$$$$secs) -seed=$(FUZZ_SEED) \
		    -max_len=$(or $($(1)_LEN),65536) -timeout=20 -print_final_stats=1 \
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
