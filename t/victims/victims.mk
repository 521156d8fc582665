# The crashing programs, in build/victims.  A line says: name, source, flags.
# What needs a tool that may be missing is tried first; its test then skips.

VDIR = $(BUILD)/victims
CXX = g++
VCFLAGS = -D_GNU_SOURCE -Wall -Wextra -fno-builtin -Wl,--build-id \
	$(if $(WERROR),-Werror)
hello = int main(void){return 0;}\n
have = $(shell command -v $(1) 2>/dev/null)

VICTIMS = null null_O2 null_nofp null_nopie null_nohdrpie null_fp \
	null_stripped strlen abort abort_O2 overflow jump smash_guarded \
	smash_raw signals handler altstack threads leader jit faults vdso \
	callback tail plugin libplug.so much memory launch comm live storm \
	document handled causes coroutine coroutine_O0 libearly.so early resolver \
	inclone jitmap dropped fuse bare bare_O0

null_FLAGS = null.c -O0
null_O2_FLAGS = null.c -O2
null_nofp_FLAGS = null.c -O2 -fomit-frame-pointer -momit-leaf-frame-pointer
null_nopie_FLAGS = null.c -O1 -fno-pie -no-pie
# frame pointers, but no unwind table at all
null_fp_FLAGS = null.c -O0 -fno-asynchronous-unwind-tables -fno-unwind-tables
# neither of them
bare = -fno-asynchronous-unwind-tables -fno-unwind-tables -fomit-frame-pointer
bare_FLAGS = bare.c -O2 $(bare) -pthread
bare_O0_FLAGS = bare.c -O0 $(bare) -pthread
bare_musl_CC = musl-gcc
bare_musl_FLAGS = bare.c -Os $(bare) -static
bare_musl_stripped_CC = musl-gcc
bare_musl_stripped_FLAGS = bare.c -DDIRECT -Os $(bare) -static -s
null_clang_CC = clang
null_clang_FLAGS = null.c -O2
null_musl_CC = musl-gcc
null_musl_FLAGS = null.c -O0
null_lld_FLAGS = null.c -O2 -fuse-ld=lld
null_static_FLAGS = null.c -O1 -static
null_staticpie_FLAGS = null.c -O1 -fPIE -static-pie
# what old static binaries look like: .eh_frame, but no table to search it
# (the last for clang, to which -no-pie says nothing beside -static)
null_nohdr_FLAGS = null.c -O2 -fomit-frame-pointer -static -no-pie \
	-Wl,--no-eh-frame-hdr -Wno-unused-command-line-argument
null_nohdrpie_FLAGS = null.c -O2 -fomit-frame-pointer -Wl,--no-eh-frame-hdr
null_full_FLAGS = null.c -O2 -g1
strlen_FLAGS = strlen.c -O1
strlen_musl_CC = musl-gcc
strlen_musl_FLAGS = strlen.c -O1 -static
abort_FLAGS = abort.c -O0
abort_O2_FLAGS = abort.c -O2
overflow_FLAGS = overflow.c -O1 -fomit-frame-pointer
jump_FLAGS = jump.c -O1
smash_guarded_FLAGS = smash.c -O0 -fstack-protector-all
smash_raw_FLAGS = smash.c -O0 -fno-stack-protector
signals_FLAGS = signals.c -O0
handler_FLAGS = handler.c t/victims/first.S -O1
altstack_FLAGS = altstack.c -O0 -pthread
threads_FLAGS = threads.c -O1 -pthread
leader_FLAGS = leader.c -O1 -pthread
causes_FLAGS = causes.c -O0
uncaught_CC = $(CXX)
uncaught_FLAGS = uncaught.cc -O1 -std=c++17 -pthread
uncaught_stripped_CC = $(CXX)
uncaught_stripped_FLAGS = uncaught.cc -O2 -std=c++17 -pthread -static -s
throw_CC = $(CXX)
throw_FLAGS = throw.cc -O1
jit_FLAGS = jit.c -O1 -fno-omit-frame-pointer
faults_FLAGS = faults.c -O0
vdso_FLAGS = vdso.c -O1
callback_FLAGS = callback.c -O1
tail_FLAGS = tail.c -O2 -g
plugin_FLAGS = plugin.c -O1 -ldl
fuse_FLAGS = fuse.c -O1 -pthread -ldl
libplug.so_FLAGS = plug.c -O1 -shared -fPIC
much_FLAGS = much.c -O1
memory_FLAGS = memory.c -O1
launch_FLAGS = launch.c -O1
comm_FLAGS = comm.c -O1
live_FLAGS = live.c -O1 -pthread
dropped_FLAGS = dropped.c -O1
storm_FLAGS = storm.c -O1
document_FLAGS = document.c -O0
handled_FLAGS = handled.c -O2
coroutine_FLAGS = coroutine.c -O1
coroutine_O0_FLAGS = coroutine.c -O0
libearly.so_FLAGS = early.c -DLIBRARY -O1 -shared -fPIC
early_FLAGS = early.c -O1 -L$(VDIR) -Wl,-rpath,$(abspath $(VDIR)) -learly
resolver_FLAGS = early.c -DRESOLVER -O1
jitmap_FLAGS = jitmap.c -O1 -fno-omit-frame-pointer
inclone_FLAGS = inclone.c -O1 -pthread
inclone_clang_CC = clang
inclone_clang_FLAGS = inclone.c -O1 -pthread

ifneq ($(filter victims check check-san demo,$(MAKECMDGOALS)),)
VICTIMS += $(if $(call cc_try,-static,$(hello)),null_static null_nohdr)
VICTIMS += $(if $(call cc_try,-static-pie,$(hello)),null_staticpie)
VICTIMS += $(if $(call cc_try,-fuse-ld=lld,$(hello)),null_lld)
VICTIMS += $(if $(call have,clang),null_clang inclone_clang)
VICTIMS += $(if $(call have,musl-gcc),null_musl strlen_musl \
	bare_musl bare_musl_stripped)
VICTIMS += $(if $(call have,$(CXX)),throw uncaught)
VICTIMS += $(if $(and $(call have,$(CXX)),$(call \
	cc_try,-static,$(hello))),uncaught_stripped)
VICTIMS += $(if $(call have,xz),null_mini)
endif

define victim
$(VDIR)/$(1): t/victims/$(firstword $($(1)_FLAGS)) t/victims/victim.h \
    t/victims/rest.h t/victims/victims.mk
	@mkdir -p $$(@D)
	$(or $($(1)_CC),$(CC)) $$(VCFLAGS) -o $$@ t/victims/$($(1)_FLAGS)
endef
$(foreach v,null_full $(filter-out null_stripped null_mini,$(VICTIMS)),$(eval \
	$(call victim,$(v))))

# The symbols apart, to be found by build-id ...
$(VDIR)/null_stripped: $(VDIR)/null_full
	objcopy --only-keep-debug $< $@.debug
	objcopy --strip-all $< $@
# ... or packed into the program itself (MiniDebugInfo).
$(VDIR)/null_mini: $(VDIR)/null_full
	objcopy --strip-debug --remove-section .comment $< $@.syms
	rm -f $@.syms.xz
	xz $@.syms
	objcopy --strip-all --add-section .gnu_debugdata=$@.syms.xz $< $@

$(VDIR)/early: $(VDIR)/libearly.so

# Go's own linker knows no more of these lines than the source's name.
GOS = $(if $(call have,go),gopher gopher_stripped gopher_pie)
gopher_stripped_FLAGS = -ldflags='-s -w'
gopher_pie_FLAGS = -buildmode=pie
GOENV = env GO111MODULE=off GOCACHE=$(abspath $(VDIR))/go.cache CGO_ENABLED=0
$(VDIR)/gopher%: t/victims/gopher.go
	@mkdir -p $(@D)
	$(GOENV) go build $(gopher$*_FLAGS) -o $@ $<
$(VDIR)/gopher: t/victims/gopher.go
	@mkdir -p $(@D)
	$(GOENV) go build -o $@ $<

RUSTS = $(if $(shell rustc --version 2>/dev/null),panics panics_stripped \
	panics_unwind)
panics_FLAGS = -C panic=abort
panics_stripped_FLAGS = -C panic=abort -O -C strip=symbols
panics_unwind_FLAGS = -O
$(VDIR)/panics%: t/victims/panics.rs
	@mkdir -p $(@D)
	rustc $(panics$*_FLAGS) -o $@ $<
$(VDIR)/panics: t/victims/panics.rs
	@mkdir -p $(@D)
	rustc $(panics_FLAGS) -o $@ $<

victims: $(RUSTS:%=$(VDIR)/%)
victims: $(VICTIMS:%=$(VDIR)/%) $(GOS:%=$(VDIR)/%)

.PHONY: victims
