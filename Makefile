# onemap. `make help` lists the targets; the two that a newcomer needs are
# `make run` and `make test`, and both install what is missing.

MODE ?= release
SAN ?=
SCALE ?= 1
CITY ?= city-$(SCALE)
LISTEN ?= 127.0.0.1:8080
CC ?= gcc
V ?=
T ?=
comma := ,
Q := $(if $(V),,@)

# Every set of flags gets its own folder, so switching never needs a clean.
BUILD_ROOT ?= build
BUILD := $(BUILD_ROOT)/$(MODE)$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(PORTABLE),-portable)$(if $(filter clang%,$(notdir $(CC))),-clang)

ROOMS := data engine tiles web
UPTO_data := data
UPTO_engine := engine data
UPTO_tiles := tiles engine data
UPTO_web := web tiles engine data

# Each outside library belongs to one room.
PKG_data := gdal proj jansson libzstd sqlite3
PKG_engine := geos
PKG_tiles := libpng libdeflate
PKG_web := libmicrohttpd libdeflate
have_pkgs := $(shell command -v pkg-config >/dev/null && echo yes)
pkg_cflags = $(if $(have_pkgs),$(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(1) 2>/dev/null)))
pkg_libs = $(if $(have_pkgs),$(shell pkg-config --libs $(1) 2>/dev/null))
# GEOS ships no .pc for its C interface in Debian 12; its config program does.
CFLAGS_data := $(call pkg_cflags,$(PKG_data))
CFLAGS_engine := $(patsubst -I%,-isystem%,$(shell command -v geos-config >/dev/null && geos-config --cflags))
CFLAGS_tiles := $(call pkg_cflags,$(PKG_tiles))
CFLAGS_web := $(call pkg_cflags,$(PKG_web))
LIBS_data := $(call pkg_libs,$(PKG_data))
LIBS_engine := -lgeos_c
LIBS_tiles := $(call pkg_libs,$(PKG_tiles))
LIBS_web := $(call pkg_libs,$(PKG_web))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes
HARDEN := -fstack-protector-strong -fPIE
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -pthread -g -I. $(WARN) $(HARDEN) \
    $(if $(filter debug,$(MODE)),-O1,-O3) \
    $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer,$(if $(filter release,$(MODE)),-D_FORTIFY_SOURCE=2)) \
    $(if $(PORTABLE),-DOM_PORTABLE) $(if $(WERROR),-Werror) $(CFLAGS)
ALL_LDFLAGS := -pthread -pie $(if $(SAN),-fsanitize=$(SAN)) -Wl,-z,relro,-z,now $(LDFLAGS)

sources = $(sort $(shell find $(1) -name '*.c' -not -path '*/node_modules/*' 2>/dev/null))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
MAIN := web/cli/main.c

all: $(BUILD_ROOT)/onemap ## build the program (the default)
.PHONY: all
.DEFAULT_GOAL := all

# make leaves the program at build/onemap whatever the flags were.
$(BUILD_ROOT)/onemap: $(BUILD)/onemap
	@cp -f $< $@.new && mv -f $@.new $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D); echo "  CC   $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(CFLAGS_$(firstword $(subst /, ,$*))) -MMD -MP -c -o $@ $<

define room_library
$(BUILD)/lib$(1).a: $(call objects,$(filter-out $(MAIN),$(call sources,$(1))))
	@echo "  AR   $$@"
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_library,$(room))))

libraries = $(patsubst %,$(BUILD)/lib%.a,$(UPTO_$(1)))
outside = $(foreach room,$(UPTO_$(1)),$(LIBS_$(room))) -lm

$(BUILD)/onemap: $(BUILD)/web/cli/main.o $(call libraries,web)
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call outside,web)

# A room's tests link that room and the rooms below it: a call upward is a
# link error. Test programs are tests/ROOM/test_*.c, each on its own.
define room_tests
TESTS_$(1) := $(patsubst %.c,$(BUILD)/%,$(sort $(shell find tests/$(1) -name 'test_*.c' 2>/dev/null)))
$(BUILD)/tests/$(1)/%: $(BUILD)/tests/$(1)/%.o $(call libraries,$(1))
	@echo "  LD   $$@"
	$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(call outside,$(1)) -lcmocka
$(BUILD)/benchmarks/$(1)/%: $(BUILD)/benchmarks/$(1)/%.o $(BUILD)/benchmarks/bench.o $(call libraries,$(1))
	@echo "  LD   $$@"
	$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(call outside,$(1))
BENCHES_$(1) := $(patsubst %.c,$(BUILD)/%,$(sort $(shell find benchmarks/$(1) -name 'bench_*.c' 2>/dev/null)))
endef
$(foreach room,$(ROOMS),$(eval $(call room_tests,$(room))))

# Tests look at outside libraries as oracles: they may include any of them.
CFLAGS_tests := $(CFLAGS_data) $(CFLAGS_engine) $(CFLAGS_tiles) $(CFLAGS_web)
CFLAGS_benchmarks := $(CFLAGS_tests)

# Fuzz targets: tests/fuzz/fuzz_*.c. The same file is a replay of its corpus
# here (tests/fuzz/replay.c has the main) and a libFuzzer target in `make fuzz`.
FUZZ := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(call libraries,web)
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call outside,web)

.SECONDARY:

ALL_TESTS := $(foreach room,$(ROOMS),$(TESTS_$(room)))
tests: $(if $(T),$(foreach t,$(ALL_TESTS) $(FUZZ),$(if $(findstring $(T),$(t)),$(t))),$(ALL_TESTS) $(FUZZ)) $(BUILD_ROOT)/onemap ## build the tests only
.PHONY: tests

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /:/' | column -t -s:
.PHONY: help

clean: ## remove what was built (cities stay)
	rm -rf $(BUILD_ROOT)
.PHONY: clean

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
