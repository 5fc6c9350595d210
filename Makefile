# patchflow: the only makefile. `make demo` and `make check` are the two
# commands a newcomer needs; both install what is missing first.

PREFIX     ?= /usr/local
BINDIR      = $(PREFIX)/bin
LIBEXECDIR  = $(PREFIX)/libexec/patchflow
MANDIR      = $(PREFIX)/share/man
DOCDIR      = $(PREFIX)/share/doc/patchflow
SYSCONFDIR ?= /etc
BUILD      ?= build

# Debian packages: what the build links, and what the tests and lint run.
BUILD_DEPS  = pkg-config libyaml-dev libjansson-dev libcurl4-openssl-dev \
              libbsd-dev libmd-dev
TEST_DEPS   = git perl libcmocka-dev strace mandoc e2fsprogs procps jq
LINT_DEPS   = clang clang-format clang-tidy clang-tools cppcheck shellcheck \
              libclang-rt-14-dev

LIBS        = yaml-0.1 jansson libcurl libbsd-overlay libmd
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(LIBS) 2>/dev/null)

CFLAGS   ?= -O2 -g
STD       = -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
WARN      = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
            -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 \
            -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
HARDEN    = -fstack-protector-strong -fstack-clash-protection \
            -fcf-protection -fPIE
ifeq ($(SANITIZE),)
HARDEN   += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
ifeq ($(findstring clang,$(CC)),)
WARN     += -Wlogical-op -Wduplicated-cond -Wduplicated-branches
HARDEN   += -ftrivial-auto-var-init=zero
endif
ifneq ($(CI),)
WARN     += -Werror
endif
ifneq ($(SANITIZE),)
HARDEN   += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
            -fno-omit-frame-pointer
endif
PATHS     = -DLIBEXECDIR='"$(LIBEXECDIR)"' -DSYSCONFDIR='"$(SYSCONFDIR)"'
ALL_CFLAGS  = $(STD) $(WARN) $(HARDEN) $(PATHS) -I. $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack \
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

# program FOLDER BINARY: an archive of the folder less main.c, which tests link
# too, and the program itself.
define program
$(BUILD)/$(1).a: $$(patsubst %.c,$(BUILD)/%.o,$$(filter-out %/main.c,$$(wildcard $(1)/*.c)))
	$$(archive)
$(BUILD)/bin/$(2): $(BUILD)/$(1)/main.o $(BUILD)/$(1).a $(COMMON_A)
	$$(link)
ALL_BINS += $(BUILD)/bin/$(2)
endef

archive = @mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^
link    = @mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ \
          $(filter %.o %.a,$^) $(PKG_LIBS) $(EXTRA_LIBS)

$(foreach p,$(PROGRAMS),$(eval $(call program,$(firstword $(subst :, ,$(p))),$(lastword $(subst :, ,$(p))))))

$(COMMON_A): $(patsubst %.c,$(BUILD)/%.o,$(wildcard common/*.c))
	$(archive)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests and sweeps. A sweep_*.c is linked with every sys_*() call wrapped
# (common/sys.h), so that the harness can fail or kill the nth of them.
UNIT     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c tests/unit/sweep_*.c))
HARNESS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/harness/*.c))
BENCH    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
ARCHIVES  = $(patsubst %,$(BUILD)/%.a,$(FOLDERS))
WRAPS     = $(shell sed -n 's/^[a-z_]* \**\(sys_[a-z0-9_]*\)(.*/-Wl,--wrap=\1/p' common/sys.h)

$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(ARCHIVES) $(COMMON_A)
	$(link) -lcmocka
$(BUILD)/tests/unit/sweep_%: $(BUILD)/tests/unit/sweep_%.o $(BUILD)/tests/unit/fault.o $(ARCHIVES) $(COMMON_A)
	$(link) -lcmocka $(WRAPS)
$(BUILD)/tests/harness/% $(BUILD)/tests/bench/%: $(BUILD)/tests/%.o
$(HARNESS) $(BENCH): $(BUILD)/%: $(BUILD)/%.o $(ARCHIVES) $(COMMON_A)
	$(link)
.SECONDARY:

binaries: $(ALL_BINS)
tests-build: binaries $(UNIT) $(HARNESS) $(BENCH)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all binaries tests-build
.DEFAULT_GOAL := all
