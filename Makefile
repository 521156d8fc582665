# usercrash: make, make check, make install.  Needs GNU make and a C11
# compiler, libc and libunwind.
#
#   all         the programs, in bin/
#   check       the tests (t/run says how to run one of them)
#   check-san   the same with sanitizers
#   check-cross  built for other machines, run by qemu-user (t/cross.sh)
#   check-vm    booted on small boards, with kernels of Debian (t/vm.sh)
#   check-musl  built on musl, its core tested (t/musl.sh)
#   faults      each system call of each program fails (t/faults.bats)
#   soak        100,000 crashes, and nothing grows (t/soak.sh)
#   noise       crashes beside storms of handled faults (t/noise.sh)
#   quick       what changed: its units and the quick half of lint
#   lint        what the tree promises of itself (t/lint.sh)
#   units       the tests that are C, in build/t/
#   victims     the programs that crash, in build/victims/
#   fuzz        the parsers of hostile input (t/fuzz/fuzz.mk)
#   bench       how fast, beside others; JSON=1 for a machine (t/bench/bench.mk)
#   demo        a crash and its report
#   debug       bin/*_dbg: sanitizers, and -v shows every block
#   install     below DESTDIR/PREFIX; switches nothing on
#   uninstall   removes what install placed
#   deb, rpm    packages of it (etc/packaging)
#   dist        the tree, as a tarball
#   compile_commands.json  for editors and clang's tools
#   clean       removes what was built
#   help        this list
#
# What a program links is spelled out in its line below: nothing is implied.
#   make SAN=1      ASan + UBSan build, in build-san/
#   make WERROR=1   warnings are errors (CI)
#   make STATIC=no  nothing static (else five programs), archives or not
#   make STATIC=all all static; where the archives are not, an error

PREFIX = /usr
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
DESTDIR =

VERSION := $(shell sed -n 's/^usercrash_version=//p' bin/lib/conf.sh)

CC = gcc
OPT = -O2 -g
MACHINE := $(shell $(CC) -dumpmachine)
ARCH := $(firstword $(subst -, ,$(MACHINE)))
# what libunwind calls it
UNWIND_ARCH := $(shell echo $(ARCH) | sed -e 's/^i[3-6]86$$/x86/' \
	-e 's/^\(arm\|riscv\|mips\).*/\1/' -e 's/^p[a-z]*pc64.*/ppc64/' \
	-e 's/^powerpc$$/ppc32/')

# cc_try,flags,source: "yes" when that links
cc_try = $(shell printf '%b' '$(2)' | \
	$(CC) $(CPPFLAGS) -x c - -o /dev/null $(LDFLAGS) $(1) 2>/dev/null && \
	echo yes)

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla
HARDEN = -fstack-protector-strong -fstack-clash-protection
PIE = -fPIE
# a function a section, what nobody calls left out; sorted, so that what stands
# where in the tree changes no size
SECTIONS = -ffunction-sections -fdata-sections
LDGC = -Wl,--gc-sections,--sort-section=name
LDPIE = -pie -Wl,-z,relro,-z,now
BUILD = build
BIN = bin
# make debug: the sanitizer build, beside the programs and with their trace
ifeq ($(DBG),1)
SAN = 1
SUFFIX = _dbg
TRACE = $(BUILD)/trace.o
endif
ifeq ($(SAN),1)
BUILD = build-san
BIN = $(if $(SUFFIX),bin,build-san/bin)
HARDEN = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LDPIE = -pie -fsanitize=address,undefined
# what the sanitizers keep of each variable is in nobody's section
SECTIONS =
LDGC =
SANDEF = -DSANITIZED
OPT = -O1 -g
STATIC = no
else
HARDEN += -D_FORTIFY_SOURCE=2
endif
CFLAGS = $(OPT)
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Isrc \
	$(CPPFLAGS) $(WARN) $(HARDEN) $(SECTIONS) $(CFLAGS) \
	$(if $(WERROR),-Werror) $(DEFS) -DVERSION=$(VERSION)

LZMA := $(call cc_try,-llzma,#include <lzma.h>\nint main(void){return !lzma_version_number();}\n)
DEFS = $(if $(LZMA),-DHAVE_LZMA) $(SANDEF)
UNWIND = -lunwind-$(UNWIND_ARCH) -lunwind $(if $(LZMA),-llzma)
UNWIND_A = -l:libunwind-$(UNWIND_ARCH).a -l:libunwind.a $(if $(LZMA),-llzma)
# what it does for nobody (unwind/accessors.c)
comma = ,
WRAPS = $(patsubst %,-Wl$(comma)--wrap=_U$(UNWIND_ARCH)_%,\
	local_addr_space_init init_mem_validate)
# a function that draws in all that the archives need themselves
UNWIND_TRY = \#include <libunwind.h>\nint main(void){unw_cursor_t c;return \
	unw_get_proc_name(&c,0,0,0);}\n
LDSTATIC = -static -no-pie -Wno-unused-command-line-argument
ifneq ($(STATIC),no)
ARCHIVES := $(call cc_try,-static -no-pie $(UNWIND_A),$(UNWIND_TRY))
ifeq ($(STATIC)$(ARCHIVES),all)
$(error STATIC=all, and no static libunwind for $(CC))
endif
endif

# --- rooms -----------------------------------------------------------------
# A room is a folder of src and an archive of all that is in it, so a program
# takes of it what it calls and no more.  In the order in which they are
# linked: a room calls only rooms that stand behind it (t/lint.sh, rooms).
ROOMS = wrap segv probe trim report bpf track unwind target send store crashlog \
	accept slots core stream crash net proc elf memop out lz4 base
room = $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(1)/*.c))
# archives ROOM...: of those rooms, in the order of ROOMS
archives = $(patsubst %,$(BUILD)/%.a,$(filter $(1),$(ROOMS)))

# --- programs --------------------------------------------------------------
# PROGRAM = what it is made of; those that own a directory link no unwinder.
PROGS = usercrash-wrapper usercrash_s usercrash_c debugger core_accept core_tee \
	core_trim core_live recv_core core_send segfault_analyzer crashlog_read
usercrash-wrapper = wrap base
usercrash_s = slots net base
usercrash_c = report unwind target accept slots core crash net proc elf memop out base
core_live = trim target send core proc elf base
core_trim = trim report unwind target core crash proc elf memop out base
debugger = report unwind target core proc elf memop out base
recv_core = store core stream crash net lz4 base
core_send = send core stream crash net proc lz4 base
core_accept = accept crash net proc base
core_tee = base
crashlog_read = crashlog slots net out base
segfault_analyzer = segv probe report bpf track unwind target core proc elf memop out base
# those that unwind, and those that the kernel starts: static costs less
UNWINDERS = usercrash_c debugger core_trim segfault_analyzer
STATICS = $(if $(ARCHIVES),$(if $(filter all,$(STATIC)),$(PROGS),usercrash_c \
	core_tee core_trim usercrash-wrapper debugger))
# how,PROGRAM,STATIC,SHARED: one of the two
how = $(if $(filter $(1),$(STATICS)),$(2),$(3))

# --- tests that are C ------------------------------------------------------
UNITS = unit_out unit_elfsym unit_elfdebug unit_names unit_corehead unit_base \
	unit_slots unit_storm unit_net unit_fanout \
	unit_memop unit_crc32c unit_corestream unit_tcp unit_proxyhdr \
	unit_coremem unit_corepack unit_coresend unit_corestore unit_maptrack \
	unit_sample unit_segv_print unit_insn unit_btf unit_bpfsys unit_segv_event \
	unit_segv_prog unit_segv_live unit_fault unit_sandbox unit_cgpath \
	unit_elfpackage unit_opener unit_io unit_mend unit_signature \
	unit_streamhead unit_pagemap unit_procdir unit_turn unit_lz4 \
	unit_segv_runner unit_blocks unit_segv_top unit_trust
unit_out = out base
unit_mend = out base
unit_signature = report base
unit_io = base
unit_streamhead = stream crash base
unit_lz4 = lz4 base
unit_elfsym = elf base
unit_elfsym_LIB = $(if $(LZMA),-llzma)
unit_elfdebug = elf base
unit_names = elf base
unit_names_LIB = $(unit_elfsym_LIB)
unit_elfdebug_LIB = $(unit_elfsym_LIB)
unit_corehead = core base
unit_base = base
unit_sandbox = base
unit_turn = base
unit_trust = wrap base
unit_opener = base
unit_slots = slots net base
unit_storm = slots net base
unit_net = net base
unit_fanout = base
unit_maptrack = track target core proc elf base
unit_maptrack_LIB = $(UNWIND)
unit_sample = track unwind target core proc elf memop base
unit_sample_LIB = $(UNWIND)
unit_insn = bpf
unit_btf = bpf base
unit_bpfsys = bpf proc base
unit_segv_event = probe core
unit_segv_prog = probe bpf core base
unit_segv_live = probe bpf core proc base
unit_segv_live_LIB = -pthread
unit_cgpath = proc base
unit_pagemap = proc base
unit_procdir = proc base
unit_elfpackage = elf base
unit_segv_print = segv probe report target core proc out base
unit_segv_runner = segv probe report target core proc out base
unit_blocks = target base
unit_segv_top = segv report target core proc out base
unit_memop = memop
unit_fault = report unwind target elf memop core proc out base
unit_fault_LIB = $(UNWIND)
unit_crc32c = stream
unit_corestream = stream crash lz4 base
unit_tcp = net base
unit_proxyhdr = store stream crash net lz4 base
unit_coremem = send core proc base
unit_corepack = send stream lz4 base
unit_coresend = send core stream crash net lz4 base
unit_corestore = store core stream crash net lz4 base

# what the bats files drive, with arguments
AIDS = spool_client stream_aid core_peer segv_watch sample_crash core_forge \
	fault_at cost_count cut_link ran_text
cost_count = base
core_forge = proc base
spool_client = slots net base
cut_link = base
stream_aid = stream crash net lz4 base
core_peer = stream crash lz4 base
segv_watch = probe bpf core proc base
sample_crash = track unwind target core proc elf memop base
sample_crash_LIB = $(UNWIND)

# programs whose worker is in an enemy's hands, t/unit/taken_over.c
TAKEN = usercrash_c debugger core_send recv_core segfault_analyzer
TAKES = -Wl,--wrap=sandbox_enter,--wrap=out_finish,--wrap=child_end

SCRIPTS = bin/bootstrap

all: $(PROGS:%=$(BIN)/%$(SUFFIX))

debug:
	$(MAKE) DBG=1 all

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PIE) -MMD -MP -c -o $@ $<

# one that has another version is made anew
$(BUILD)/base/args.o: $(BUILD)/version-$(VERSION)
$(BUILD)/version-$(VERSION):
	@mkdir -p $(@D)
	@rm -f $(BUILD)/version-*
	@touch $@

$(BUILD)/trace.o:
	@mkdir -p $(@D)
	echo 'int msg_level_more = 1;' | $(CC) $(PIE) -x c -c -o $@ -

$(BUILD)/t/%.o: t/unit/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PIE) -MMD -MP -c -o $@ $<

# made anew: a file that went must not stay in it
define archive
$(BUILD)/$(1).a: $(call room,$(1))
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call archive,$(r))))

# what runs in each crash stands side by side (t/order.sh)
ORDER := $(if $(filter yes,$(call cc_try,-static -no-pie \
	-Wl$(comma)-T$(comma)src/order.ld,int main(void){return 0;}\n)),src/order.ld)
usercrash_c_SCRIPT = $(if $(ORDER),-Wl$(comma)-T$(comma)$(ORDER))
$(BIN)/usercrash_c$(SUFFIX): $(ORDER)

# file,PROGRAM,object,flags
define program
$(1): $(BUILD)/$(2).o $(3) $(call archives,$($(2)))
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_CFLAGS) -o $$@ $$(filter-out %.ld,$$^) $(4) $$(LDGC) \
		$$(LDFLAGS) $$(call how,$(2),$$(LDSTATIC) $$($(2)_SCRIPT),$$(LDPIE)) $(if $(filter \
		$(2),$(UNWINDERS)),$$(call how,$(2),$$(WRAPS) $$(UNWIND_A),$$(UNWIND)))
endef
$(foreach p,$(PROGS),$(eval $(call program,$(BIN)/$(p)$(SUFFIX),$(p),$(TRACE))))
$(foreach p,$(TAKEN),$(eval $(call \
	program,$(BUILD)/t/taken/$(p),$(p),$(BUILD)/t/taken_over.o,$$(TAKES))))

# what several units share: all else of t/unit
$(BUILD)/t/unit.a: $(patsubst t/unit/%.c,$(BUILD)/t/%.o,$(filter-out \
    $(patsubst %,t/unit/%.c,$(UNITS) $(AIDS) taken_over),\
    $(wildcard t/unit/*.c)))
	@rm -f $@
	$(AR) rcs $@ $^

define unit
$(BUILD)/t/$(1): $(BUILD)/t/$(1).o $(BUILD)/t/unit.a $(call archives,$($(1)))
	$$(CC) $$(ALL_CFLAGS) -o $$@ $$^ $$(LDPIE) $$(LDGC) $$(LDFLAGS) $$($(1)_LIB)
endef
$(foreach u,$(UNITS) $(AIDS),$(eval $(call unit,$(u))))

units: $(UNITS:%=$(BUILD)/t/%) $(AIDS:%=$(BUILD)/t/%) \
    $(TAKEN:%=$(BUILD)/t/taken/%)

include t/victims/victims.mk
include t/fuzz/fuzz.mk
include t/bench/bench.mk
include etc/packaging/packaging.mk

check: all units victims
	t/run

check-san: victims
	$(MAKE) SAN=1 all units
	BIN=build-san/bin BUILD=build-san t/run

quick: units
	@t/quick.sh $(foreach u,$(UNITS),'$(u) $($(u))')

lint:
	t/lint.sh

check-cross: all
	t/cross.sh

check-vm:
	t/vm.sh

check-musl:
	t/musl.sh

faults: all units victims
	FAULTS=all LIMIT=86400 t/run t/faults.bats t/crashlogctl.bats

soak: all victims
	t/soak.sh $(CRASHES)

noise: all victims
	WARM=10 t/noise.sh $(MODES)

help:
	@sed -n 's/^#   \([a-z][-a-z_.]*  .*\)/\1/p' Makefile

# one line a file; nothing in the flags needs quoting
compile_commands.json: Makefile
	@for f in src/*.c src/*/*.c t/unit/*.c; do \
		printf '%s\n{"directory": "%s", "file": "%s", "command": "%s"}' \
			"$${sep-[}" '$(CURDIR)' "$$f" \
			"$(CC) $(strip $(ALL_CFLAGS) $(PIE)) -c $$f"; \
		sep=,; \
	done >$@
	@printf '\n]\n' >>$@

demo:
	bin/bootstrap demo

# --- installation ----------------------------------------------------------
DOCDIR = $(PREFIX)/share/doc/usercrash
LIBDIR = $(PREFIX)/lib/usercrash
COMPDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d
COMPLETED = $(filter-out usercrash-wrapper,$(PROGS)) crashlogctl
UNITS_SYSTEMD = usercrash_s.service usercrash_s@.service usercrash_s.socket \
	recv_core.service recv_core@.service recv_core.socket \
	core_accept@.service core_accept.socket \
	usercrash-flush.service usercrash-flush.timer
# names that older versions had, NAME:UNIT: who switched that on has this on
UNITS_ONCE = core_send-flush.service:usercrash-flush.service \
	core_send-flush.timer:usercrash-flush.timer
# examples, for whoever sets things up: nothing reads them where they lie
EXAMPLES = usercrash.conf sysctl.d/60-usercrash.conf openrc/usercrash_s \
	runit/usercrash_s/run runit/usercrash_s/log/run \
	s6/usercrash_s/run s6/usercrash_s/type \
	s6/core_accept/run s6/core_accept/type \
	s6/usercrash_s-ipc/run s6/usercrash_s-ipc/type \
	core_send.env inetd.conf.recv_core xinetd.d/recv_core \
	openrc/recv_core runit/recv_core/run runit/recv_core/log/run \
	s6/recv_core/run s6/recv_core/type \
	s6/recv_core-tcp/run s6/recv_core-tcp/type ucspi/recv_core/run

# FILE:WHERE:MODE of all that is installed, and removed
PLACED = $(foreach p,$(PROGS),$(BIN)/$p:$(BINDIR)/$p:755 \
		man/$p.8:$(MANDIR)/man8/$p.8:644) \
	$(foreach p,$(COMPLETED),etc/bash-completion/$(if \
		$(filter crashlogctl,$p),$p,usercrash):$(COMPDIR)/$p:644 \
		$(BUILD)/completion/$p.zsh:$(ZSHDIR)/_$p:644 \
		$(BUILD)/completion/$p.fish:$(FISHDIR)/$p.fish:644) \
	bin/crashlogctl:$(BINDIR)/crashlogctl:755 \
	$(foreach l,$(notdir $(wildcard bin/lib/*.sh bin/lib/*.awk)), \
		bin/lib/$l:$(LIBDIR)/$l:644) \
	man/crashlogctl.8:$(MANDIR)/man8/crashlogctl.8:644 \
	$(foreach m,$(notdir $(wildcard man/*.5)), \
		man/$m:$(MANDIR)/man5/$m:644) \
	$(foreach m,$(notdir $(wildcard man/*.7)), \
		man/$m:$(MANDIR)/man7/$m:644) \
	README:$(DOCDIR)/README:644 \
	$(foreach u,$(UNITS_SYSTEMD), \
		etc/systemd/$u:$(PREFIX)/lib/systemd/system/$u:644) \
	$(foreach d,tmpfiles.d sysusers.d, \
		etc/$d/usercrash.conf:$(PREFIX)/lib/$d/usercrash.conf:644) \
	$(foreach e,$(EXAMPLES),etc/$e:$(DOCDIR)/$e:$(if \
		$(filter %/run openrc/%,$e),755,644))

# of the list that bash's has
$(BUILD)/completion/%: etc/packaging/completion.sh etc/bash-completion/usercrash \
    etc/bash-completion/crashlogctl
	@mkdir -p $(@D)
	bash $< $(subst .,,$(suffix $*)) $(basename $*) >$@

# By rename: the kernel may want to run usercrash_c at any moment.
install: all $(foreach p,$(COMPLETED),$(BUILD)/completion/$p.zsh \
    $(BUILD)/completion/$p.fish)
	@set -e; umask 022; for f in $(PLACED); do \
		from=$${f%%:*} mode=$${f##*:} to=$${f#*:}; \
		to='$(DESTDIR)'$${to%:*}; \
		mkdir -p "$${to%/*}"; \
		case $$from in \
		etc/*) sed 's|/usr/bin/|$(BINDIR)/|g' "$$from" ;; \
		*) cat "$$from" ;; \
		esac >"$$to.new"; \
		chmod $$mode "$$to.new"; \
		mv -f "$$to.new" "$$to"; \
		echo "$$to"; \
	done; \
	for f in $(UNITS_ONCE); do \
		to='$(DESTDIR)$(PREFIX)/lib/systemd/system/'$${f%:*}; \
		rm -f "$$to.new"; \
		ln -s "$${f#*:}" "$$to.new"; \
		mv -f "$$to.new" "$$to"; \
		echo "$$to"; \
	done

uninstall:
	@set -e; for f in $(PLACED); do \
		to=$${f#*:}; \
		rm -f '$(DESTDIR)'"$${to%:*}"; \
	done; \
	for f in $(UNITS_ONCE); do \
		rm -f '$(DESTDIR)$(PREFIX)/lib/systemd/system/'$${f%:*}; \
	done
	@[ ! -d '$(DESTDIR)$(DOCDIR)' ] || find '$(DESTDIR)$(DOCDIR)' -depth \
		-type d -exec rmdir {} \; 2>/dev/null || :
	@[ ! -d '$(DESTDIR)$(LIBDIR)' ] || \
		rmdir '$(DESTDIR)$(LIBDIR)' 2>/dev/null || :

clean:
	rm -rf build build-san compile_commands.json
	rm -f $(PROGS:%=bin/%) $(PROGS:%=bin/%_dbg)

-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)

.PHONY: all debug units check check-san check-cross \
	check-vm check-musl faults soak noise quick lint help demo install \
	uninstall clean
.DELETE_ON_ERROR:
