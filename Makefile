# Every command of the project. `make help` lists them; each sets up what it needs.
#
# The virtual environment is built once, in .venv, from the versions in constraints.txt; it is built
# again when those or pyproject.toml change. PYTHON=... chooses the interpreter (3.11 or newer).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Tests start hundreds of processes: let each find the byte code that the first one left.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SEED ?=
SIM_TESTS ?=
SIM_SEEDS ?= 2000
MINIMUM := import sys; sys.exit(sys.version_info < (3, 11))

# Each name must really run: one on PATH may be a launcher's shim. First a version that is tested,
# `python3` before others since it is what a reader of the README has; else anything that is newer.
PYTHON ?= $(shell for last in 13 99; do \
	for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if $$name -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $$last))" \
	>/dev/null 2>&1; then command -v $$name; exit; fi; done; done)

PYTEST := $(BIN)/python -m pytest -q
WORKERS ?= 2
SOURCES := kioku tests bench demo

.PHONY: help demo test check static doctest sim smoke clients sabotage bench bench-peers docs fix clean setup

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build .venv with everything that the other commands need

$(READY): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo "kioku needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; fi
	@"$(PYTHON)" -c '$(MINIMUM)' || { echo "$(PYTHON) is older than Python 3.11" >&2; exit 1; }
	@if ! $(BIN)/python -c '$(MINIMUM)' >/dev/null 2>&1; then rm -rf $(VENV); "$(PYTHON)" -m venv $(VENV); fi
	@echo "installing kioku and its tools into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev,mcp,langgraph]'
	@touch $(READY)

demo: $(READY) ## see kioku save and find real decisions, in a throw-away directory
	@$(BIN)/python -m demo

test: $(READY) ## run every test
	$(PYTEST) -n $(WORKERS) tests

check: static doctest $(if $(TESTED),,test) ## everything that must be green before a commit

static: $(READY)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/vulture
	$(BIN)/deptry kioku
	$(BIN)/codespell

# Exit 5 is "no docstring has an example": those of docs/ run with the tests.
doctest: $(READY)
	$(PYTEST) --doctest-modules kioku || test $$? -eq 5

sim: $(READY) ## simulate thousands of meshes, then the long run of the property tests; SEED=n replays one mesh
	@tests="$(SIM_TESTS)"; seed="$(SEED)"; \
	if [ -n "$$seed" ] && [ -z "$$tests" ]; then exec $(BIN)/python -m tests.simulation --seed $$seed; fi; \
	seed="$${seed:-$$RANDOM$$RANDOM}"; \
	if [ -z "$$tests" ]; then tests=tests/property; \
	$(BIN)/python -m tests.simulation --begin $$seed --seeds $(SIM_SEEDS) --workers $(WORKERS); fi; \
	echo "make sim SEED=$$seed SIM_TESTS=$$tests"; \
	$(PYTEST) -n $(WORKERS) --hypothesis-profile=sim --hypothesis-seed=$$seed $$tests

smoke: $(READY) ## see a hub and four spokes share, and the hub pulled, in a minute (LONG=1: five)
	$(BIN)/python -m tests.integration.smoke $(if $(LONG),--long) $(if $(SEED),--seed $(SEED))

clients: $(READY) ## see real MCP clients, from npm, find the server; NOT RUN says which can't be had
	$(BIN)/python -m tests.clients

sabotage: $(READY) ## break the code one line at a time; a test must catch each (PART=1/24: a part)
	$(BIN)/python -m tests.sabotage $(if $(PART),--part $(PART))

bench: $(READY) ## measure against the budgets
	$(BIN)/python -m bench

bench-peers: $(READY) ## measure side by side with other libraries (installs them beside .venv)
	$(BIN)/python -m bench --peers

docs: $(READY) ## write docs/cli.md from --help
	$(BIN)/python -m kioku.cli.reference > docs/cli.md.new
	mv docs/cli.md.new docs/cli.md

fix: $(READY) ## format, and repair what the linter can
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

clean: ## remove what these commands made, .venv included
	rm -rf $(VENV) $(VENV)-* .demo .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
