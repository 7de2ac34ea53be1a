# The front door. Everything but the last line of `sweep`, `submit` and `report` goes to standard error.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# What to run: make sweep EXPERIMENT=experiments/x.yaml OVERRIDES='mtl.epochs=5'
EXPERIMENT ?= experiments/quickstart.yaml
OVERRIDES ?=
# A run's folder, for report; empty: the run of EXPERIMENT
RUN ?=
# Test files, for test: make test TESTS=test/stages
TESTS ?=

FATHOM := bin/fathom
BUILT := dist/numerics.json
SOURCES := $(shell find src kernels -type f 2> /dev/null) $(wildcard scripts/*.mjs) tsconfig.json package-lock.json

.PHONY: help
help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: packages
packages:
	@scripts/setup.sh

.PHONY: native
native: ## install native libraries into .fathom/native (XGBOOST_PACKAGE, XGBOOST_VERSION choose)
	@scripts/setup-native.sh xgboost openblas

.PHONY: nvrtc
nvrtc: ## install NVIDIA's run-time compiler from pip, for the engine cuda on a node without a CUDA module
	@STRICT=1 scripts/setup-native.sh nvrtc

.PHONY: tensorflow
tensorflow: build ## build the engine tensorflow against pip's TensorFlow (2 GB), and prove it by training
	@STRICT=1 scripts/setup-native.sh tensorflow
	@node dist/cli/self-test-process.js 'train.mtl on tensorflow'

.PHONY: setup
setup: packages native build ## all that a run needs; does nothing the second time

$(BUILT): $(SOURCES) | packages
	@node scripts/build.mjs >&2
	@touch $@

.PHONY: build
build: $(BUILT) ## compile into dist/, if a source has changed

.PHONY: sweep
sweep: setup ## run EXPERIMENT here and write its report
	@$(FATHOM) run $(EXPERIMENT) $(OVERRIDES)

.PHONY: submit
submit: setup ## send EXPERIMENT to SLURM
	@$(FATHOM) slurm submit $(EXPERIMENT) $(OVERRIDES)

.PHONY: report
report: build ## write the report of RUN, or of EXPERIMENT, again
	@$(FATHOM) report $(or $(RUN),$(EXPERIMENT) $(OVERRIDES))

.PHONY: doctor
doctor: build ## say what this machine can run, and what it lacks
	@$(FATHOM) doctor

.PHONY: test-tools
test-tools:
	@scripts/setup-native.sh python-test nvrtc compiler chromium shellcheck

.PHONY: test
test: setup test-tools ## run the tests (TESTS=test/stages for some)
	@node_modules/.bin/vitest run $(TESTS)

.PHONY: test-full
test-full: setup test-tools ## the tests with the slow ones; installs TensorFlow for its engine (2 GB)
	@scripts/setup-native.sh tensorflow
	@FATHOM_TEST_FULL=1 node_modules/.bin/vitest run $(TESTS)

.PHONY: check
check: packages ## types, style, import directions, unused code, shell scripts
	@node_modules/.bin/tsc -p tsconfig.check.json
	@node_modules/.bin/tsc -p src/report/client --noEmit
	@node scripts/check-imports.mjs
	@node_modules/.bin/biome check --error-on-warnings .
	@node_modules/.bin/knip
	@if command -v shellcheck > /dev/null; then shellcheck scripts/*.sh .ci/run; else echo 'check: no shellcheck here, shell scripts are not checked' >&2; fi

.PHONY: bench
bench: setup ## compare with peers (BENCH=name for one)
	@$(FATHOM) bench $(BENCH)

.PHONY: gpu-check
gpu-check: build ## on a node with a GPU: is the engine cuda right, and how fast beside PyTorch (under eight minutes)
	@scripts/gpu-check.sh

.PHONY: gpu-pack
gpu-pack: setup ## collect into .gpu/ what gpu-check needs on a machine without a network
	@scripts/gpu-pack.sh

.PHONY: clean
clean: ## remove what build makes; results, packages and native libraries stay
	@rm -rf dist coverage
