# usercrash: make, make check, make install.  Needs GNU make and a C11
# compiler, libc and libunwind.
#
#   all         the programs, in bin/
#   check       the tests; check-san the same with sanitizers
#   lint        what the tree promises of itself
#   fuzz, bench see t/fuzz/fuzz.mk and t/bench/report.sh
#   bench-segfault see t/bench/segfault.sh
#   demo        a crash and its report
#   install     below DESTDIR/PREFIX; switches nothing on.  uninstall
#   debug       bin/*_dbg: sanitizers, and -v shows every block
#   clean       removes what was built
#
# What a program links is spelled out in its line below: nothing is implied.
#   make SAN=1      ASan + UBSan build, in build-san/
#   make WERROR=1   warnings are errors (CI)
#   make STATIC=no  nothing static (usercrash_c, core_tee), archives or not

PREFIX = /usr
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
DESTDIR =

CC = gcc
OPT = -O2 -g
MACHINE := $(shell $(CC) -dumpmachine)
ARCH := $(firstword $(subst -, ,$(MACHINE)))

# cc_try,flags,source: "yes" when that links
cc_try = $(shell printf '%b' '$(2)' | \
	$(CC) -x c - -o /dev/null $(1) 2>/dev/null && echo yes)

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
TRACE = -DDEBUG_TRACE
endif
ifeq ($(SAN),1)
BUILD = build-$(if $(SUFFIX),dbg,san)
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
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Isrc $(WARN) $(HARDEN) $(SECTIONS) \
	$(CFLAGS) $(if $(WERROR),-Werror) $(DEFS)

LZMA := $(call cc_try,-llzma,#include <lzma.h>\nint main(void){return !lzma_version_number();}\n)
DEFS = $(if $(LZMA),-DHAVE_LZMA) $(SANDEF) $(TRACE)
UNWIND = -lunwind-$(ARCH) -lunwind $(if $(LZMA),-llzma)
UNWIND_A = -l:libunwind-$(ARCH).a -l:libunwind.a -llzma
ifneq ($(STATIC),no)
STATIC := $(call cc_try,-static -no-pie $(UNWIND_A),int main(void){return 0;}\n)
endif

# --- rooms -----------------------------------------------------------------
BASE = base/msg base/io base/num base/deadline
PROC = proc/procdir proc/maps proc/procinfo
CORE = core/corenote core/notes
NET = base/tcp
STREAM = core/corestream core/streamhead core/streamtext base/crc32c
SEND = core/coresend core/sendmemory core/sendstream core/sendjob \
	core/sendtext core/crashargs core/crashproc \
	core/coreout core/corereplay core/coreextent core/coremem \
	core/corepages core/corespool base/transport
RECV = core/corerecv core/transfer core/recvnative core/recvraw core/inflow \
	core/proxyhdr core/corefile core/corestore core/storepublish \
	core/storeroom core/storename core/notes core/corenote
ELFSYM = unwind/elfsym unwind/elffile unwind/elfdynamic unwind/elfnames \
	unwind/elfinfo unwind/elfdebug
SPOOL = spool/slots spool/ring spool/protocol base/net
UNW = unwind/arch unwind/memop unwind/memop_x86 unwind/memop_x86tab \
	unwind/memop_a64 $(ELFSYM) unwind/module unwind/target \
	unwind/unwind unwind/accessors unwind/byhand unwind/symbols \
	unwind/symcache unwind/ehframe
# which files a process has mapped, and stacks of processes that are gone
MAPBOOK = bpf/perfrec bpf/recqueue bpf/mapspace bpf/mapbook
MODCACHE = unwind/modcache unwind/modopen proc/mounts
TRACK = $(MAPBOOK) bpf/perfring bpf/procscan bpf/maptrack $(MODCACHE) \
	unwind/target_sample
REPORT = report/out report/escape report/mend report/signature \
	report/crash_dump report/cause report/memory report/threads \
	report/process report/signals report/crash_sign
BPF = bpf/bpfsys bpf/ring bpf/reason bpf/insn bpf/btf bpf/segv_probe \
	bpf/segv_layout bpf/segv_prog bpf/segv_blocks bpf/segv_memory \
	bpf/segv_event bpf/segv_decode

# --- programs --------------------------------------------------------------
PROGS = usercrash_s usercrash_c debugger core_tee recv_core core_send \
	segfault_analyzer
usercrash_s_OBJ = usercrash_s base/args base/privdrop spool/serve base/pool $(BASE) $(SPOOL)
usercrash_c_OBJ = usercrash_c base/args base/privdrop $(BASE) $(PROC) $(CORE) \
	core/corestash $(SPOOL) spool/sink $(UNW) unwind/target_notes \
	unwind/target_proc unwind/target_core $(REPORT) report/dying
usercrash_c_LIB = $(if $(filter yes,$(STATIC)),$(UNWIND_A),$(UNWIND))
# the last for clang, to which -no-pie says nothing beside -static
usercrash_c_LD = $(if $(filter yes,$(STATIC)),-static -no-pie \
	-Wno-unused-command-line-argument,$(LDPIE))
debugger_OBJ = debugger base/args base/privdrop $(BASE) $(PROC) $(CORE) $(UNW) \
	unwind/target_notes unwind/target_proc unwind/target_core \
	unwind/target_live $(REPORT)
debugger_LIB = $(UNWIND)
recv_core_OBJ = recv_core base/args base/acceptor base/waiting base/pool \
	base/privdrop base/net $(BASE) $(NET) $(STREAM) $(RECV) \
	core/storehome core/corehook
core_send_OBJ = core_send base/args base/privdrop $(BASE) $(NET) $(STREAM) \
	$(CORE) $(SEND) proc/procdir proc/maps
core_tee_OBJ = core_tee base/args base/fanout base/msg base/num base/deadline
# like the handler it stands before: to start costs less
core_tee_LD = $(usercrash_c_LD)
segfault_analyzer_OBJ = segfault_analyzer base/args base/privdrop $(BASE) \
	$(PROC) proc/cgroups $(CORE) $(UNW) $(TRACK) $(BPF) bpf/ksyms \
	report/out report/escape report/signature report/cause report/signals \
	report/crash_sign report/segv_look report/segv_moment \
	report/segv_owner \
	report/segv_print report/segv_detail report/segv_watch \
	report/segv_stats
segfault_analyzer_LIB = $(UNWIND)

# --- tests that are C ------------------------------------------------------
UNITS = unit_out unit_elfsym unit_elfdebug unit_corenote unit_base \
	unit_slots unit_storm unit_net unit_fanout \
	unit_memop unit_crc32c unit_corestream unit_tcp unit_proxyhdr \
	unit_coremem unit_coresend unit_corestore unit_maptrack unit_sample \
	unit_segv_print unit_insn unit_btf unit_bpfsys unit_segv_event \
	unit_segv_prog unit_segv_live
unit_out_OBJ = report/out report/escape report/mend report/signature base/io \
	base/num
unit_elfsym_OBJ = $(ELFSYM) base/io base/num
unit_elfsym_LIB = $(if $(LZMA),-llzma)
unit_elfdebug_OBJ = $(unit_elfsym_OBJ)
unit_elfdebug_LIB = $(unit_elfsym_LIB)
unit_corenote_OBJ = $(CORE) base/io base/deadline
unit_base_OBJ = base/msg base/io base/num base/deadline
unit_slots_OBJ = $(SPOOL) $(BASE)
unit_storm_OBJ = $(SPOOL) $(BASE)
unit_net_OBJ = base/net base/num base/deadline
unit_fanout_OBJ = base/fanout base/deadline
spool_client_OBJ = $(SPOOL) $(BASE)
unit_maptrack_OBJ = $(TRACK) $(UNW) $(CORE) $(BASE) proc/procdir proc/maps
unit_maptrack_LIB = $(UNWIND)
unit_sample_OBJ = $(unit_maptrack_OBJ) bpf/ksyms
unit_sample_LIB = $(UNWIND)
sample_crash_OBJ = $(TRACK) $(UNW) $(CORE) $(BASE) proc/procdir \
	proc/maps
sample_crash_LIB = $(UNWIND)
unit_insn_OBJ = bpf/insn
unit_btf_OBJ = bpf/btf base/io
unit_bpfsys_OBJ = bpf/bpfsys bpf/ring bpf/reason proc/procdir $(BASE)
unit_segv_event_OBJ = bpf/segv_event bpf/segv_decode unwind/arch
unit_segv_prog_OBJ = bpf/segv_prog bpf/segv_blocks bpf/segv_memory \
	bpf/segv_layout bpf/segv_event bpf/segv_decode bpf/insn bpf/btf \
	base/io unwind/arch
unit_segv_live_OBJ = $(BPF) $(BASE) proc/procdir unwind/arch
unit_segv_live_LIB = -pthread
unit_segv_print_OBJ = report/segv_print report/segv_detail report/segv_owner \
	report/out report/escape report/signals unwind/arch proc/procdir \
	base/io base/num
segv_watch_OBJ = $(BPF) base/args $(BASE) proc/procdir unwind/arch
unit_memop_OBJ = unwind/memop unwind/memop_x86 unwind/memop_x86tab \
	unwind/memop_a64
unit_crc32c_OBJ = base/crc32c
unit_corestream_OBJ = $(STREAM) base/io base/num
unit_tcp_OBJ = $(NET) base/num base/deadline
unit_proxyhdr_OBJ = core/proxyhdr $(NET) base/crc32c base/num base/deadline

unit_coremem_OBJ = core/coremem core/corepages proc/maps proc/procdir base/io \
	base/num
unit_coresend_OBJ = $(STREAM) $(CORE) core/coreout core/corereplay \
	core/coreextent core/corespool core/crashargs base/io base/num \
	base/deadline
core_peer_OBJ = $(STREAM) base/io base/num
unit_corestore_OBJ = $(RECV) $(STREAM) $(NET) core/corehook base/waiting \
	base/io base/num base/deadline
stream_aid_OBJ = $(STREAM) $(NET) base/io base/num base/deadline

# what the bats files drive, with arguments
AIDS = spool_client stream_aid core_peer segv_watch sample_crash

SCRIPTS = bin/bootstrap

all: $(PROGS:%=$(BIN)/%$(SUFFIX))

debug:
	$(MAKE) DBG=1 all

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PIE) -MMD -MP -c -o $@ $<

$(BUILD)/t/%.o: t/unit/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PIE) -MMD -MP -c -o $@ $<

define program
$(BIN)/$(1)$(SUFFIX): $(addprefix $(BUILD)/,$(addsuffix .o,$($(1)_OBJ)))
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_CFLAGS) -o $$@ $$^ $$(or $$($(1)_LD),$$(LDPIE)) $$(LDGC) $$(LDFLAGS) $$($(1)_LIB)
endef
$(foreach p,$(PROGS),$(eval $(call program,$(p))))

define unit
$(BUILD)/t/$(1): $(BUILD)/t/$(1).o $(addprefix $(BUILD)/,$(addsuffix .o,$($(1)_OBJ)))
	$$(CC) $$(ALL_CFLAGS) -o $$@ $$^ $$(LDPIE) $$(LDGC) $$(LDFLAGS) $$($(1)_LIB)
endef
$(foreach u,$(UNITS) $(AIDS),$(eval $(call unit,$(u))))

units: $(UNITS:%=$(BUILD)/t/%) $(AIDS:%=$(BUILD)/t/%)

include t/victims/victims.mk
include t/fuzz/fuzz.mk
include t/bench/bench.mk

check: all units victims
	t/run

check-san: victims
	$(MAKE) SAN=1 all units
	BIN=build-san/bin BUILD=build-san t/run

lint:
	t/lint.sh

demo:
	bin/bootstrap demo

# --- installation ----------------------------------------------------------
DOCDIR = $(PREFIX)/share/doc/usercrash
LIBDIR = $(PREFIX)/lib/usercrash
COMPDIR = $(PREFIX)/share/bash-completion/completions
UNITS_SYSTEMD = usercrash_s.service usercrash_s@.service usercrash_s.socket \
	recv_core.service recv_core@.service recv_core.socket \
	core_send-flush.service core_send-flush.timer \
	usercrash-flush.service usercrash-flush.timer
# examples, for whoever sets things up: nothing reads them where they lie
EXAMPLES = usercrash.conf sysctl.d/60-usercrash.conf openrc/usercrash_s \
	runit/usercrash_s/run runit/usercrash_s/log/run \
	s6/usercrash_s/run s6/usercrash_s/type \
	s6/usercrash_s-ipc/run s6/usercrash_s-ipc/type \
	core_send.env inetd.conf.recv_core xinetd.d/recv_core \
	openrc/recv_core runit/recv_core/run runit/recv_core/log/run \
	s6/recv_core/run s6/recv_core/type \
	s6/recv_core-tcp/run s6/recv_core-tcp/type ucspi/recv_core/run

# FILE:WHERE:MODE of all that is installed, and removed
PLACED = $(foreach p,$(PROGS),$(BIN)/$p:$(BINDIR)/$p:755 \
		man/$p.8:$(MANDIR)/man8/$p.8:644 \
		etc/bash-completion/usercrash:$(COMPDIR)/$p:644) \
	bin/crashlogctl:$(BINDIR)/crashlogctl:755 \
	$(foreach l,$(notdir $(wildcard bin/lib/*.sh bin/lib/*.awk)), \
		bin/lib/$l:$(LIBDIR)/$l:644) \
	man/crashlogctl.8:$(MANDIR)/man8/crashlogctl.8:644 \
	bin/usercrash-wrapper:$(BINDIR)/usercrash-wrapper:755 \
	man/usercrash-wrapper.8:$(MANDIR)/man8/usercrash-wrapper.8:644 \
	man/usercrash.conf.5:$(MANDIR)/man5/usercrash.conf.5:644 \
	etc/bash-completion/crashlogctl:$(COMPDIR)/crashlogctl:644 \
	man/usercrash.7:$(MANDIR)/man7/usercrash.7:644 \
	README:$(DOCDIR)/README:644 \
	$(foreach u,$(UNITS_SYSTEMD), \
		etc/systemd/$u:$(PREFIX)/lib/systemd/system/$u:644) \
	$(foreach d,tmpfiles.d sysusers.d, \
		etc/$d/usercrash.conf:$(PREFIX)/lib/$d/usercrash.conf:644) \
	$(foreach e,$(EXAMPLES),etc/$e:$(DOCDIR)/$e:$(if \
		$(filter %/run openrc/%,$e),755,644))

# By rename: the kernel may want to run usercrash_c at any moment.
install: all
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
	done

uninstall:
	@set -e; for f in $(PLACED); do \
		to=$${f#*:}; \
		rm -f '$(DESTDIR)'"$${to%:*}"; \
	done
	@[ ! -d '$(DESTDIR)$(DOCDIR)' ] || find '$(DESTDIR)$(DOCDIR)' -depth \
		-type d -exec rmdir {} \; 2>/dev/null || :
	@[ ! -d '$(DESTDIR)$(LIBDIR)' ] || \
		rmdir '$(DESTDIR)$(LIBDIR)' 2>/dev/null || :

clean:
	rm -rf build build-san build-dbg
	rm -f $(PROGS:%=bin/%) $(PROGS:%=bin/%_dbg)

-include $(shell find build build-san build-dbg -name '*.d' 2>/dev/null)

.PHONY: all debug units check check-san lint demo install uninstall clean
.DELETE_ON_ERROR:
