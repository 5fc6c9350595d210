# patchflow: the only makefile. `make demo` and `make check` are the two
# commands a newcomer needs; both install what is missing first.

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/patchflow
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/patchflow
SYSCONFDIR ?= /etc
BUILD      ?= build
# One name whoever calls: what a compiler noted of headers goes by it.
override BUILD := $(BUILD:$(CURDIR)/%=%)
INSTALL    ?= install
FUZZ_SECONDS ?= 20

# Debian packages: what the build links, and what tests, lint and fuzzing run.
BUILD_DEPS  = gcc libc6-dev pkg-config|pkgconf libyaml-dev libjansson-dev \
              libcurl4-openssl-dev|libcurl4-gnutls-dev libbsd-dev libmd-dev \
              libpcre2-dev libseccomp-dev
DEMO_DEPS   = $(BUILD_DEPS) git jq
TEST_DEPS   = $(DEMO_DEPS) perl libcmocka-dev strace e2fsprogs procps mandoc
# The tests that boot a whole machine, of check-long.
LONG_DEPS   = debootstrap qemu-system-x86 qemu-utils xfsprogs
BENCH_DEPS  = $(DEMO_DEPS) perl patch
LINT_DEPS   = $(TEST_DEPS) clang-format clang-tidy cppcheck shellcheck
FUZZ_DEPS   = $(BUILD_DEPS) clang libclang-rt-dev

LIBS        = yaml-0.1 jansson libcurl libbsd-overlay libmd libpcre2-8 libseccomp
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(LIBS) 2>/dev/null)
# b64_pton(3) is the C library's, but not in libc itself.
SYS_LIBS    = -lresolv

CFLAGS   ?= -O2 -g
STD       = -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
WARN      = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
            -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 \
            -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
# Nobody unwinds a stack at run time; debuggers have tables of their own.
STD      += -fno-asynchronous-unwind-tables -fno-unwind-tables
HARDEN    = -fstack-protector-strong -fstack-clash-protection \
            -fcf-protection -fPIE
ifeq ($(SANITIZE),)
HARDEN   += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
else
HARDEN   += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
            -fno-omit-frame-pointer
endif
ifeq ($(findstring clang,$(CC)),)
WARN     += -Wlogical-op -Wduplicated-cond -Wduplicated-branches
HARDEN   += -ftrivial-auto-var-init=zero
endif
ifneq ($(CI),)
WARN     += -Werror
endif
PATHS     = -DLIBEXECDIR='"$(LIBEXECDIR)"' -DSYSCONFDIR='"$(SYSCONFDIR)"'
ALL_CFLAGS  = $(STD) $(WARN) $(HARDEN) $(PATHS) -I. $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,--as-needed,-z,relro,-z,now,-z,noexecstack \
              $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)

# folder:binary, one a process; the command comes last.
DAEMONS   = bridge:ghost-bridge executor:executor summarizer:summarizer \
            alertd:alertd watchdog:watchdog
PROGRAMS := $(foreach p,$(DAEMONS) ctl:patchflow,\
              $(if $(wildcard $(firstword $(subst :, ,$(p)))/main.c),$(p)))
FOLDERS   = $(foreach p,$(PROGRAMS),$(firstword $(subst :, ,$(p))))

ALL_BINS :=
COMMON_A  = $(BUILD)/common.a

all: binaries

# What the supervisor sleeps in lies together, pages.c at its end, so that no
# more than that stays in memory (watchdog/rest.c, watchdog/pages.h). Behind it
# what runs between two sleeps.
FIRST_watchdog = watchdog/rest common/loop common/clock watchdog/pages \
                 $(addprefix watchdog/,watchdog supervise service channel \
                 notify fsm logs own_log oom fallback report roster check \
                 writer ring) \
                 common/beat

# program FOLDER BINARY: an archive of the folder less main.c, which tests link
# too, and the program itself.
define program
$(BUILD)/$(1).a: $$(patsubst %.c,$(BUILD)/%.o,$$(filter-out %/main.c,$$(wildcard $(1)/*.c)))
	$$(archive)
$(BUILD)/bin/$(2): $(BUILD)/$(1)/main.o $(FIRST_$(1):%=$(BUILD)/%.o) $(BUILD)/$(1).a $(COMMON_A)
	$$(link)
ALL_BINS += $(BUILD)/bin/$(2)
endef

archive = @mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
link    = @mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ \
          $(filter %.o %.a,$^) $(PKG_LIBS) -lresolv $(EXTRA_LIBS)

$(foreach p,$(PROGRAMS),$(eval $(call program,$(firstword $(subst :, ,$(p))),$(lastword $(subst :, ,$(p))))))

$(COMMON_A): $(patsubst %.c,$(BUILD)/%.o,$(wildcard common/*.c))
	$(archive)

# Another compiler, other flags or another PREFIX rebuild everything: the file
# changes when the command line does.
FLAGS_NOW := $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
	    printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' >$@
	@test -n '$(PKG_LIBS)' || { \
	    echo "libraries are missing: run 'make deps' first" >&2; exit 1; }

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests and sweeps. A sweep_*.c is linked with every sys_*() call wrapped
# (common/sys.h), so that the harness can fail or kill the nth of them.
UNIT     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c tests/unit/sweep_*.c))
HARNESS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/harness/*.c))
DIRECT   := $(BUILD)/tests/harness/direct
HOLDUP   := $(BUILD)/tests/harness/holdup
INJECT   := $(BUILD)/tests/harness/inject
BENCH_PART := $(wildcard tests/bench/bench.c tests/bench/floor*.c)
BENCH    := $(patsubst %.c,$(BUILD)/%,$(filter-out $(BENCH_PART),$(wildcard tests/bench/*.c)))
BENCH_A   = $(BUILD)/tests/bench.a
FUZZ     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
SHELL_T  := $(wildcard tests/crash/*.t tests/flow/*.t tests/unit/*.t tests/lint/*.t)
ARCHIVES  = $(patsubst %,$(BUILD)/%.a,$(FOLDERS))
WRAPS     = $(shell sed -n 's/^[a-z_]* \**\(sys_[a-z0-9_]*\).*;$$/-Wl,--wrap=\1/p' common/sys.h)

# What a test has of its own instead.
WRAPS_requests = $(foreach f,fstat fstat64 spool_list clock_wall_us \
                 clock_mono_ms,-Wl,--wrap=$(f))
WRAPS_command  = -Wl,--wrap=subtree_each,--wrap=kill

$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(ARCHIVES) $(COMMON_A)
	$(link) -lcmocka $(WRAPS_$*)
$(BUILD)/tests/unit/sweep_%: $(BUILD)/tests/unit/sweep_%.o $(BUILD)/tests/unit/fault.o \
                            $(BUILD)/tests/unit/model.o $(BUILD)/tests/unit/world.o $(ARCHIVES) $(COMMON_A)
	$(link) -lcmocka $(WRAPS)
$(filter-out $(DIRECT) $(HOLDUP),$(HARNESS)): $(BUILD)/%: $(BUILD)/%.o $(ARCHIVES) $(COMMON_A)
	$(link)
$(DIRECT): $(DIRECT).o $(BUILD)/watchdog/main.o $(ARCHIVES) $(COMMON_A)
	$(link) -Wl,--wrap=ring_put,--wrap=writer_begin
$(HOLDUP): $(HOLDUP).o $(BUILD)/tests/inject/tracer.o $(BUILD)/tests/inject/calls.o $(COMMON_A)
	$(link)
$(BENCH_A): $(patsubst %.c,$(BUILD)/%.o,$(BENCH_PART))
	$(archive)
$(BENCH): $(BUILD)/%: $(BUILD)/%.o $(BENCH_A) $(ARCHIVES) $(COMMON_A)
	$(link)
$(INJECT): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/inject/*.c)) $(COMMON_A)
	$(link)
$(FUZZ): $(BUILD)/%: $(BUILD)/%.o $(ARCHIVES) $(COMMON_A)
	$(link) -fsanitize=fuzzer
.SECONDARY:

binaries: $(ALL_BINS)
tests-build: binaries $(UNIT) $(HARNESS) $(INJECT)
bench-build: binaries $(BENCH) $(HARNESS) $(INJECT)
fuzz-build: $(FUZZ)

# The targets below may install packages first, which changes what pkg-config
# answers; so they build in a make of their own.
AGAIN = $(MAKE) --no-print-directory \
        $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc)) $(QUIET)
DEPS  = @sh tests/harness/deps.sh
RUN   = BUILD_DIR='$(abspath $(BUILD))' sh tests/harness/run.sh
QUIET = $(if $(V),,-s)

deps:
	$(DEPS) $(sort $(TEST_DEPS:%='%'))
check:
	$(DEPS) $(sort $(TEST_DEPS:%='%'))
	@$(AGAIN) tests-build
	@$(RUN) $(SHELL_T) $(UNIT)
check-long:
	$(DEPS) $(sort $(TEST_DEPS:%='%')) $(LONG_DEPS)
	@PATCHFLOW_LONG=1 $(MAKE) --no-print-directory check
sweeps:
	$(DEPS) $(sort $(TEST_DEPS:%='%'))
	@$(AGAIN) tests-build
	@BUILD_DIR='$(abspath $(BUILD))' sh tests/harness/sweeps.sh \
	    '$(abspath $(BUILD))/sweeps' $(or $(LANES),$(shell nproc)) $(MINUTES)
demo run:
	$(DEPS) $(sort $(DEMO_DEPS:%='%'))
	@$(AGAIN) binaries
	@BUILD_DIR='$(abspath $(BUILD))' sh etc/demo/demo.sh $@
bench:
	$(DEPS) $(sort $(BENCH_DEPS:%='%'))
	@$(AGAIN) bench-build
	@BUILD_DIR='$(abspath $(BUILD))' sh tests/bench/disk.sh $(BENCH:%=./%)
	@BUILD_DIR='$(abspath $(BUILD))' sh tests/bench/peers.sh
	@BUILD_DIR='$(abspath $(BUILD))' sh tests/bench/replay.sh
	@BUILD_DIR='$(abspath $(BUILD))' sh tests/bench/crowd.sh
	@BUILD_DIR='$(abspath $(BUILD))' perl tests/bench/supervisors.pl
asan:
	$(DEPS) $(sort $(TEST_DEPS:%='%'))
	@$(AGAIN) SANITIZE=address,undefined BUILD=$(BUILD)-asan tests-build
	@PATCHFLOW_SANITIZED=1 SANITIZE=address,undefined \
	    BUILD_DIR='$(abspath $(BUILD))-asan' \
	    sh tests/harness/run.sh $(wildcard tests/flow/*.t) \
	    $(UNIT:$(BUILD)/%=$(BUILD)-asan/%)
fuzz:
	$(DEPS) $(sort $(FUZZ_DEPS:%='%'))
	@$(AGAIN) CC=clang SANITIZE=fuzzer-no-link,address,undefined \
	    BUILD=$(BUILD)-fuzz fuzz-build
	@sh tests/harness/fuzz.sh $(FUZZ_SECONDS) $(FUZZ:$(BUILD)/%=$(BUILD)-fuzz/%)
lint:
	$(DEPS) $(sort $(LINT_DEPS:%='%'))
	@$(AGAIN) tests-build
	@BUILD_DIR='$(abspath $(BUILD))' sh tests/harness/lint.sh \
	    $(STD) $(PATHS) -I. $(PKG_CFLAGS)

# What goes where: mode, source, target. install.sh notes what it made, so that
# uninstall takes exactly that; the files of etc/boot learn the paths.
MAN      = $(wildcard man/*.[1578])
MANIFEST = $(DOCDIR)/installed
PLACE    = DESTDIR='$(DESTDIR)' BINDIR='$(BINDIR)' LIBEXECDIR='$(LIBEXECDIR)' \
           SYSCONFDIR='$(SYSCONFDIR)' INSTALL='$(INSTALL)' sh etc/install.sh
UNITDIR  = $(PREFIX)/lib
define PLACES
755 $(BUILD)/bin/patchflow $(BINDIR)/patchflow
$(foreach b,$(filter-out %/patchflow,$(ALL_BINS)),755 $(b) $(LIBEXECDIR)/$(notdir $(b))$(newline))
$(foreach m,$(MAN),644 $(m) $(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))$(newline))
$(foreach d,README.md LICENSE $(wildcard etc/*.yaml),644 $(d) $(DOCDIR)/$(notdir $(d))$(newline))
644 etc/boot/crontab $(DOCDIR)/crontab
644 etc/patchflow.yaml $(SYSCONFDIR)/patchflow/patchflow.yaml
644 etc/boot/patchflow.service $(UNITDIR)/systemd/system/patchflow.service
644 etc/boot/patchflow-user.service $(UNITDIR)/systemd/user/patchflow.service
644 etc/boot/sysusers.conf $(UNITDIR)/sysusers.d/patchflow.conf
644 etc/boot/tmpfiles.conf $(UNITDIR)/tmpfiles.d/patchflow.conf
755 etc/boot/openrc $(SYSCONFDIR)/init.d/patchflow
755 etc/boot/runit-run $(SYSCONFDIR)/sv/patchflow/run
755 etc/boot/runit-finish $(SYSCONFDIR)/sv/patchflow/finish
755 etc/boot/runit-log-run $(SYSCONFDIR)/sv/patchflow/log/run
endef
define newline


endef
export PLACES
install: binaries
	@printf '%s\n' "$$PLACES" | sed '/^ *$$/d' | $(PLACE) put $(MANIFEST)
uninstall:
	@$(PLACE) take $(MANIFEST)
clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-fuzz $(BUILD)-clang

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/tests/*/*.d)

.PHONY: all binaries tests-build bench-build fuzz-build deps check check-long \
    sweeps demo run bench asan fuzz lint install uninstall clean FORCE
FORCE:
.DEFAULT_GOAL := all
