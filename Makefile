# onemap. `make help` lists the targets; the two that a newcomer needs are
# `make run` and `make test`, and both install what is missing.

MODE ?= release
SAN ?=
SCALE ?= 1
CITY ?= city-$(SCALE)
LISTEN ?= 127.0.0.1:8080
LISTEN_PUBLIC ?= 127.0.0.1:8081
CC ?= gcc
V ?=
T ?=
comma := ,
Q := $(if $(V),,@)

# Every set of flags gets its own folder, so switching never needs a clean.
BUILD_ROOT ?= build
flagged = $(BUILD_ROOT)/$(MODE)$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(1)$(if $(filter clang%,$(notdir $(CC))),-clang)
BUILD := $(call flagged,$(if $(PORTABLE),-portable))
# PORTABLE=1 is of the few files that are compiled for several machines at once;
# objects of all others are those of the build without it.
PLAIN := $(call flagged)

ROOMS := data engine tiles web
UPTO_data := data
UPTO_engine := engine data
UPTO_tiles := tiles engine data
UPTO_web := web tiles engine data

# Each outside library belongs to one room.
PKG_data := gdal proj jansson libzstd sqlite3 libsodium
PKG_engine := icu-i18n icu-uc
PKG_tiles := libpng libdeflate freetype2 harfbuzz
PKG_web := libmicrohttpd libdeflate
have_pkgs := $(shell command -v pkg-config >/dev/null && echo yes)
pkg_cflags = $(if $(have_pkgs),$(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(1) 2>/dev/null)))
pkg_libs = $(if $(have_pkgs),$(shell pkg-config --libs $(1) 2>/dev/null))
# GEOS ships no .pc for its C interface in Debian 12; its config program does.
CFLAGS_data := $(call pkg_cflags,$(PKG_data))
CFLAGS_engine := $(call pkg_cflags,$(PKG_engine)) $(patsubst -I%,-isystem%,$(shell command -v geos-config >/dev/null && geos-config --cflags))
CFLAGS_tiles := $(call pkg_cflags,$(PKG_tiles))
CFLAGS_web := $(call pkg_cflags,$(PKG_web))
LIBS_data := $(call pkg_libs,$(PKG_data))
LIBS_engine := -lgeos_c $(call pkg_libs,$(PKG_engine))
LIBS_tiles := $(call pkg_libs,$(PKG_tiles))
LIBS_web := $(call pkg_libs,$(PKG_web))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes
HARDEN := -fstack-protector-strong -fPIE
ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -pthread -g -I. $(WARN) $(HARDEN) \
    $(if $(filter debug,$(MODE)),-O2,-O3) \
    $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer,$(if $(filter release,$(MODE)),-D_FORTIFY_SOURCE=2)) \
    $(if $(WERROR),-Werror) $(CFLAGS)
ALL_LDFLAGS := -pthread -pie $(if $(SAN),-fsanitize=$(SAN)) -Wl,-z,relro,-z,now $(LDFLAGS)

sources = $(sort $(shell find $(1) -name '*.c' -not -path '*/node_modules/*' 2>/dev/null))
CLONED := $(shell grep -rlF --include='*.c' 'data/base/clones.h' $(ROOMS))
objects = $(foreach f,$(1:.c=.o),$(if $(filter $(f),$(CLONED:.c=.o)),$(BUILD),$(PLAIN))/$(f))
MAIN := web/cli/main.c

all: $(BUILD_ROOT)/onemap ## build the program (the default)
.PHONY: all
.DEFAULT_GOAL := all

# make leaves the program at build/onemap whatever the flags were.
$(BUILD_ROOT)/onemap: $(BUILD)/onemap
	@cp -f $< $@.new && mv -f $@.new $@

define compile
$(1)/%.o: %.c
	@mkdir -p $$(@D); echo "  CC   $$<"
	$(Q)$$(CC) $$(ALL_CFLAGS) $(2) $$(CFLAGS_$$(firstword $$(subst /, ,$$*))) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call compile,$(PLAIN)))
$(if $(PORTABLE),$(eval $(call compile,$(BUILD),-DOM_PORTABLE)))

define room_library
$(BUILD)/lib$(1).a: $(call objects,$(filter-out $(MAIN),$(call sources,$(1))))
	@echo "  AR   $$@"
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_library,$(room))))

libraries = $(patsubst %,$(BUILD)/lib%.a,$(UPTO_$(1)))
outside = $(foreach room,$(UPTO_$(1)),$(LIBS_$(room))) -lm

$(BUILD)/onemap: $(PLAIN)/web/cli/main.o $(call libraries,web)
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call outside,web)

# A room's tests link that room and the rooms below it: a call upward is a
# link error. Test programs are tests/ROOM/test_*.c, each on its own.
define room_tests
TESTS_$(1) := $(patsubst %.c,$(BUILD)/%,$(sort $(shell find tests/$(1) -name 'test_*.c' 2>/dev/null)))
$(BUILD)/tests/$(1)/%: $(PLAIN)/tests/$(1)/%.o $(call libraries,$(1))
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(call outside,$(1)) -lcmocka
$(BUILD)/benchmarks/$(1)/%: $(BUILD)/benchmarks/$(1)/%.o $(BUILD)/benchmarks/bench.o $(call libraries,$(1))
	@echo "  LD   $$@"
	$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(call outside,$(1))
BENCHES_$(1) := $(patsubst %.c,$(BUILD)/%,$(sort $(shell find benchmarks/$(1) -name 'bench_*.c' 2>/dev/null)))
endef
$(foreach room,$(ROOMS),$(eval $(call room_tests,$(room))))

# The client that benchmarks ask servers with.
ASK := $(BUILD)/benchmarks/ask
$(ASK): $(ASK).o $(BUILD)/benchmarks/bench.o $(call libraries,data)
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call outside,data)

# And the one that they write with.
WRITE := $(BUILD)/benchmarks/live/write
$(WRITE): $(WRITE).o $(BUILD)/benchmarks/bench.o $(call libraries,data)
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call outside,data)

# Tests look at outside libraries as oracles: they may include any of them.
CFLAGS_tests := $(CFLAGS_data) $(CFLAGS_engine) $(CFLAGS_tiles) $(CFLAGS_web)
CFLAGS_benchmarks := $(CFLAGS_tests)

# Fuzz targets: tests/fuzz/fuzz_*.c. The same file is a replay of its corpus
# here (tests/fuzz/replay.c has the main) and a libFuzzer target in `make fuzz`.
FUZZ := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
$(BUILD)/tests/fuzz/fuzz_%: $(PLAIN)/tests/fuzz/fuzz_%.o $(PLAIN)/tests/fuzz/replay.o $(call libraries,web)
	@mkdir -p $(@D)
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call outside,web)

.SECONDARY:

ALL_TESTS := $(foreach room,$(ROOMS),$(TESTS_$(room)))
picked = $(if $(T),$(foreach t,$(1),$(if $(findstring $(T),$(t)),$(t))),$(1))
chosen = $(if $(B),$(foreach t,$(1),$(if $(findstring $(B),$(t)),$(t))),$(1))
tests: $(call picked,$(ALL_TESTS) $(FUZZ)) $(BUILD)/onemap ## build the tests only
.PHONY: tests

# ---- what has to be there ----

DEBS := gcc make pkg-config libsodium-dev libgdal-dev libproj-dev libgeos-dev libpng-dev \
    libmicrohttpd-dev libjansson-dev libzstd-dev libxxhash-dev libdeflate-dev libsqlite3-dev \
    libfreetype-dev libharfbuzz-dev libicu-dev
DEBS_RUN := nodejs npm curl fonts-noto-cjk
DEBS_TEST := libcmocka-dev clang libclang-rt-14-dev gdal-bin libxml2-utils chromium pngcheck
DEBS_BENCH := nginx-light wrk curl gdal-bin python3-numpy python3-scipy python3-networkx python3-pil \
    postgresql-15 postgresql-15-postgis-3 mapserver-bin \
    python3-sklearn r-cran-spdep r-cran-spatstat.explore
NODE_MODULES := web/pages/node_modules/.package-lock.json

# The libraries' flags are looked up when this file is read, so what installs
# them runs first and then calls make again.
AGAIN = @+$(MAKE) --no-print-directory

deps: ## install what building and running needs
	@tests/install.sh $(DEBS) $(DEBS_RUN)
deps-test: ## install what testing needs besides
	@tests/install.sh $(DEBS) $(DEBS_RUN) $(DEBS_TEST)
deps-bench: ## install what benchmarks compare with
	@tests/install.sh $(DEBS) $(DEBS_RUN) $(DEBS_BENCH)
.PHONY: deps deps-test deps-bench

$(NODE_MODULES): web/pages/package.json web/pages/package-lock.json
	@echo "  NPM  web/pages"
	$(Q)cd web/pages && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# ---- run ----

run: ## install, build, make the city (SCALE=1), serve it on LISTEN and its public release on LISTEN_PUBLIC
	@mkdir -p $(BUILD_ROOT) && tests/install.sh $(DEBS) $(DEBS_RUN)
	@START=$$(date +%s) $(MAKE) --no-print-directory -s -j2 release && \
	    ONEMAP=$(BUILD_ROOT)/onemap exec web/run.sh $(CITY) $(LISTEN) $(CITY).public $(LISTEN_PUBLIC)
.PHONY: run

release: city ## publish what may be public of the city into CITY.public
	@[ ! -f $(CITY)/publish.json ] || { \
	    start=$$(date +%s); \
	    $(BUILD_ROOT)/onemap publish $(CITY) $(CITY).public --replace --quiet >/dev/null && \
	    echo "publish: $$(( $$(date +%s) - start )) s" || \
	    echo "publish: not done, $(CITY).public stays as it was" >&2; }
.PHONY: release

city: $(BUILD_ROOT)/onemap $(NODE_MODULES) ## build, and make the synthetic city if it is not there
	@took=$$(( $$(date +%s) - $${START:-$$(date +%s)} )); [ $$took -lt 2 ] || echo "build: $$took s"
	@test -f $(CITY)/city.json || { \
	    start=$$(date +%s); rm -rf $(CITY).src $(CITY).public && \
	    $(BUILD_ROOT)/onemap synth $(CITY).src --scale $(SCALE) && \
	    echo "synth: $$(( $$(date +%s) - start )) s"; \
	    start=$$(date +%s); \
	    $(BUILD_ROOT)/onemap import $(CITY) --all $(CITY).src && \
	    echo "import: $$(( $$(date +%s) - start )) s"; }
.PHONY: city

# ---- test ----

TOTALS := $(BUILD_ROOT)/totals
# What each test took, in seconds: the longest are printed at the end.
DURATIONS := $(BUILD_ROOT)/durations
RUN := tests/run.sh -t $(TOTALS) -d $(DURATIONS)
# Tests that run at a time; much of what those of pages do is waiting.
JOBS ?= $(shell nproc)
# One pattern, one run: make test T=partition. Without T: everything.
test: ## install what is missing and run all tests (T=name: only those)
	@mkdir -p $(BUILD_ROOT) && tests/install.sh $(DEBS) $(DEBS_RUN) $(DEBS_TEST)
	@echo "0 0" >$(TOTALS); : >$(DURATIONS)
	$(AGAIN) -s $(if $(T),test-one,test-all); status=$$?; \
	    $(if $(T),,echo "longest, in seconds (all: $(DURATIONS)):"; sort -rn $(DURATIONS) | head -n 12;) \
	    read -r passed failed <$(TOTALS); \
	    [ $$status -eq 0 ] || [ $$failed -gt 0 ] || failed=1; \
	    echo "$$passed passed, $$failed failed"; [ $$failed -eq 0 ]
.PHONY: test

# What tries a part of all in make test, and all of it here.
LONG_C = $(filter $(foreach f,$(shell grep -l test_long tests/*/test_*.c),$(BUILD)/$(f:%.c=%)),$(ALL_TESTS))
LONG_PAGES = $(shell grep -l ONEMAP_LONG tests/*/*.test.mjs)
test-long: ## cut everywhere, flip every bit, kill 1,000 times: hours (T=name)
	@mkdir -p $(BUILD_ROOT) && tests/install.sh $(DEBS) $(DEBS_RUN) $(DEBS_TEST)
	@echo "0 0" >$(TOTALS)
	@$(MAKE) -s -j2 $(call picked,$(LONG_C)) $(BUILD_ROOT)/onemap $(NODE_MODULES)
	@ONEMAP_LONG=1 ONEMAP=$(abspath $(BUILD_ROOT)/onemap) tests/run.sh -l long -t $(TOTALS) \
	    $(call picked,$(LONG_C) $(LONG_PAGES))
.PHONY: test-long

PAGES = $(call picked,$(sort $(shell find tests -name '*.test.mjs' -not -path '*/node_modules/*')))
test-one:
	@$(MAKE) -s -j2 tests T=$(T) && $(MAKE) -s run-tests T=$(T)
	@[ -z "$(PAGES)" ] || { $(MAKE) -s -j2 $(BUILD_ROOT)/onemap $(NODE_MODULES) && $(MAKE) -s run-pages T=$(T); }

# Each line goes on after a failure, so that one run shows all that is wrong.
test-all:
	@status=0; \
	$(RUN) tests/doors.sh || status=1; \
	rm -f $(THREADED); \
	$(MAKE) -s -j2 WERROR=1 tests $(BUILD_ROOT)/threads.so && $(MAKE) -s run-tests LABEL=release NOTE_THREADS=1 || status=1; \
	$(MAKE) -s -j2 WERROR=1 $(BUILD_ROOT)/onemap $(NODE_MODULES) && $(MAKE) -s run-pages || status=1; \
	$(MAKE) -s -j2 MODE=debug SAN=address,undefined tests && \
	    $(MAKE) -s MODE=debug SAN=address,undefined run-tests LABEL=address,undefined || status=1; \
	$(MAKE) -s -j2 MODE=debug SAN=thread tests && \
	    $(MAKE) -s MODE=debug SAN=thread run-tests LABEL=thread || status=1; \
	$(MAKE) -s -j2 PORTABLE=1 tests && $(MAKE) -s PORTABLE=1 run-tests LABEL=portable || status=1; \
	$(MAKE) -s -j2 CC=clang WERROR=1 BUILD_ROOT=$(BUILD_ROOT)/warnings CFLAGS=-O1 clang-builds || status=1; \
	exit $$status

# Nothing is run that says nothing new: a portable program that is the same as
# the plain one; one that is looked through for races and began no thread in the
# plain run, which notes who did.
RUN_C = $(sort $(call picked,$(ALL_TESTS) $(FUZZ)))
THREADED := $(abspath $(BUILD_ROOT))/threaded
hash := \#
new_c = $(if $(PORTABLE),$$(for t in $(RUN_C); do cmp -s $$t $(PLAIN)/$${t$(hash)$(BUILD)/} || echo $$t; done),$(if \
    $(and $(filter thread,$(SAN)),$(wildcard $(THREADED))),$$(for t in $(RUN_C); do ! grep -qx "$${t$(hash)$(hash)*/}" $(THREADED) || echo $$t; done),$(RUN_C)))
run-tests:
	@$(RUN) -j $(JOBS) -l "$(LABEL)" $(if $(NOTE_THREADS),-w $(THREADED)) $(new_c)
$(BUILD_ROOT)/threads.so: tests/threads.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(WARN) -O2 -shared -fPIC -o $@ $< -ldl
# Those that take minutes begin first, so that nobody waits for one at the end.
LONG := $(patsubst %,tests/web/%.test.mjs,kill wall analyst etag journal server hotspots community)
run-pages:
	@ONEMAP=$(abspath $(BUILD_ROOT)/onemap) $(RUN) -j $(JOBS) $(filter $(LONG),$(PAGES)) $(filter-out $(LONG),$(PAGES))
golden: ## draw the golden tiles anew (tests/golden/*.png); look at them before you commit
	@$(MAKE) -s -j2 tests T=test_golden && ONEMAP_GOLDEN=1 $(BUILD)/tests/tiles/test_golden
.PHONY: golden
clang-builds: $(BUILD)/onemap
	@echo "ok   clang builds without warnings"
.PHONY: test-one test-all run-tests run-pages clang-builds

fuzz: ## fuzz one function with libFuzzer: make fuzz F=filter [SECONDS=60]
	@mkdir -p $(BUILD_ROOT)/fuzz
	clang -std=c17 -D_GNU_SOURCE -DOM_FUZZ -g -O1 -I. -fsanitize=fuzzer,address,undefined -pthread \
	    $(CFLAGS_tests) -o $(BUILD_ROOT)/fuzz/$(F) tests/fuzz/fuzz_$(F).c \
	    $(filter-out $(MAIN),$(foreach room,$(UPTO_web),$(call sources,$(room)))) $(call outside,web)
	mkdir -p $(BUILD_ROOT)/fuzz/found-$(F)
	$(BUILD_ROOT)/fuzz/$(F) -max_total_time=$(or $(SECONDS),60) -artifact_prefix=$(BUILD_ROOT)/fuzz/ \
	    $(BUILD_ROOT)/fuzz/found-$(F) tests/fuzz/corpus/$(F)
.PHONY: fuzz

# ---- measure ----

BENCH_CITY ?= city-1
bench: ## print the figures that documents quote, beside peers (B=name: only those)
	@mkdir -p $(BUILD_ROOT) && tests/install.sh $(DEBS) $(DEBS_RUN) $(DEBS_BENCH)
	$(AGAIN) -s -j2 benches $(BUILD_ROOT)/onemap && \
	    benchmarks/run.sh $(if $(B),-b $(B)) $(BUILD_ROOT)/onemap $(BENCH_CITY) $(call chosen,$(foreach room,$(ROOMS),$(BENCHES_$(room))))
benches: $(foreach room,$(ROOMS),$(BENCHES_$(room))) $(ASK) $(WRITE)
.PHONY: bench benches

SOAK_RATE ?= 200
soak: city ## a copy of CITY under mixed load for MINUTES (60): what grows, is lost or fails
	node tests/soak/soak.mjs $(CITY) --onemap $(BUILD_ROOT)/onemap --minutes $(or $(MINUTES),60) --rate $(SOAK_RATE)
	node tests/soak/wall.mjs $(CITY) --onemap $(BUILD_ROOT)/onemap --minutes $(or $(MINUTES),60)
.PHONY: soak

score: $(BUILD_ROOT)/onemap ## how hotspots do against what was planted (CITY and its sources), and where nothing was
	node tests/score/hotspots.mjs $(CITY) $(CITY).src/truth.json
	node tests/score/hotspots.mjs --plain 0.05 20
.PHONY: score

# ---- the rest ----

format: ## lay out the sources by .clang-format
	clang-format -i $(shell git ls-files '*.c' '*.h')
INSTALL_ROOT = $(DESTDIR)$(or $(PREFIX),/usr/local)
install: $(BUILD_ROOT)/onemap $(NODE_MODULES) ## copy the program and pages below PREFIX (/usr/local)
	install -D -m 755 $(BUILD_ROOT)/onemap $(INSTALL_ROOT)/bin/onemap
	@for file in $(wildcard $(foreach e,html js css svg,web/pages/*.$(e) web/pages/*/*.$(e))) \
	    $(addprefix web/pages/node_modules/maplibre-gl/dist/maplibre-gl,.mjs -worker.mjs -shared.mjs .css) \
	    web/pages/node_modules/echarts/dist/echarts.esm.min.mjs; do \
	    install -D -m 644 $$file $(INSTALL_ROOT)/share/onemap/pages/$${file#web/pages/} || exit 1; done
.PHONY: format install

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | awk -F'\t' '{printf "%-12s %s\n", $$1, $$2}'
.PHONY: help

clean: ## remove what was built (cities stay)
	rm -rf $(BUILD_ROOT)
.PHONY: clean

-include $(shell find $(sort $(BUILD) $(PLAIN)) -name '*.d' 2>/dev/null)
