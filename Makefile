# The front door. Every target installs the Debian packages it needs (as root, or with sudo), configures, builds and
# acts; a second call finds that done and is quick. What comes before the act speaks on stderr, so that the output of
# `make bench` or `make run ARGS=--json` can be piped on.
#
#   make run ARGS="--speed max"        the demo, with more options
#   make test TESTS="venue/venue"      some tests only
#   make show NAME=kill RUNS=10        one of tests/shows
#   make bench BENCH=abi               one of bench
#   make mutants PATCH=my.patch        does the simulator find this bug?
#   make fuzz TARGET=config SECS=60    one of tests/fuzz
#   make install PREFIX=/usr DESTDIR=/tmp/stage

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

BUILD := build
PREFIX ?= /usr/local
DESTDIR ?=
WERROR ?= false
EXCHANGE ?= sim
ARGS ?=
TESTS ?=
NAME ?=
RUNS ?=
SECS ?=
BENCH ?=
TARGET ?=
PATCH ?=

# the plugin host refuses plugins that a group may write
QUIET_BUILD = umask 022 && ninja -C $(1) $(2) >&2
CONFIGURE = .ci/configure $(1) -Dprefix=$(PREFIX) -Dwerror=$(WERROR) $(2) >&2
PACKAGES := $(BUILD)/.packages
PACKAGES_EXTRA := $(BUILD)/.packages-extra

.PHONY: help run test build show mutants bench peers digests check format sanitize fuzz install clean

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18
	@sed -n 's/^#   \(make .*\)/  \1/p' Makefile

run: build ## trade a made-up market until 20 cycles are completed; EXCHANGE=binance over Binance's protocols
	@test -f $(BUILD)/exchanges/$(EXCHANGE)/$(EXCHANGE).so || { echo "no exchange '$(EXCHANGE)'; there are:" \
		$(basename $(notdir $(wildcard $(BUILD)/exchanges/*/*.so))) >&2; exit 2; }
	@test $(EXCHANGE) = sim -o -f examples/run-$(EXCHANGE) || { echo "make run trades on sim and binance; for" \
		"$(EXCHANGE) write a configuration after examples/gateway.yaml and give it to $(BUILD)/trigate run" >&2; exit 2; }
	@if [ $(EXCHANGE) = sim ]; then \
		$(BUILD)/trigate run --config examples/demo.yaml --cycles 20 --state-dir $(BUILD)/demo-state $(ARGS); \
	else \
		examples/run-$(EXCHANGE) $(BUILD) $(ARGS); \
	fi

test: build ## run the tests
	@meson test -C $(BUILD) --no-rebuild --print-errorlogs $(TESTS)

build: $(PACKAGES) ## build everything in build/
	@$(call CONFIGURE,$(BUILD),)
	@$(call QUIET_BUILD,$(BUILD),)

show: build ## run one show: NAME, and RUNS or SECS to scale it
	@BUILD=$(CURDIR)/$(BUILD) RUNS=$(RUNS) SECS=$(SECS) tests/shows/run $(NAME)

mutants: build ## does the simulator find bugs that were put in on purpose? PATCH for one, RUNS to scale
	@RUNS=$(RUNS) python3 tests/mutants/run.py $(BUILD) $(PATCH)

digests: build ## write tests/simulation.digests anew, after a change of behaviour that was meant
	@BUILD=$(CURDIR)/$(BUILD) python3 tests/integration/digests_check.py --renew

bench: build ## measure: JSON lines on stdout, a table on stderr; BENCH for one
	@bench/run $(BUILD) $(BENCH)

peers: ## install what some benchmarks measure beside, of Debian and with npm: see bench/peers
	@.ci/install bench/peers/packages >&2
	@mkdir -p $(BUILD)/peers && cp bench/peers/package.json $(BUILD)/peers/
	@npm install --prefix $(BUILD)/peers --omit=optional --ignore-scripts --no-audit --no-fund >&2

check: build $(PACKAGES_EXTRA) ## clang-format, clang-tidy, cppcheck, clang's warnings, the tree's own rules
	@.ci/check $(BUILD)

format: $(PACKAGES_EXTRA) ## put all C into the tree's format
	@.ci/check --format

# Address and undefined behaviour, then threads: the two do not go together. Under each all tests, then a longer run.
sanitize: $(PACKAGES) ## run the tests with the address, undefined-behaviour and thread sanitizers
	$(call SANITIZE,build-asan,address$(comma)undefined)
	$(call SANITIZE,build-tsan,thread)
define SANITIZE
@$(call CONFIGURE,$(1),-Db_sanitize=$(2) -Db_lundef=false)
@$(call QUIET_BUILD,$(1),)
@meson test -C $(1) --no-rebuild --print-errorlogs --timeout-multiplier 3
@rm -rf $(1)/demo-state
@$(1)/trigate run --config examples/demo.yaml --cycles 200 --speed max --state-dir $(1)/demo-state | tail -n 8
endef
comma := ,

fuzz: $(PACKAGES) $(PACKAGES_EXTRA) ## feed the parsers for SECS (20) each; TARGET for one
	@export CC=clang; $(call CONFIGURE,build-fuzz,-Dfuzz=true -Db_sanitize=address$(comma)undefined -Db_lundef=false)
	@$(call QUIET_BUILD,build-fuzz,fuzz)
	@tests/fuzz/run build-fuzz $(or $(SECS),20) $(TARGET)

install: build ## install under PREFIX, or under DESTDIR for a package
	@umask 022 && meson install -C $(BUILD) --no-rebuild --quiet $(if $(DESTDIR),--destdir $(abspath $(DESTDIR)))

clean: ## remove all that was built
	rm -rf $(BUILD) build-asan build-tsan build-clang build-fuzz

$(PACKAGES): .ci/packages
	@.ci/install .ci/packages >&2
	@mkdir -p $(@D) && touch $@

$(PACKAGES_EXTRA): .ci/packages-extra
	@.ci/install .ci/packages-extra >&2
	@mkdir -p $(@D) && touch $@
