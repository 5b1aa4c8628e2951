# Two commands set everything up by themselves: `make demo` runs the main job on the sandbox, `make test` every check.

VENV := .venv
BIN := $(VENV)/bin
export UV_PROJECT_ENVIRONMENT := $(VENV)

# Processes that the tests run in; `make test WORKERS=0` runs them in one, which a debugger needs.
WORKERS := auto
# Seconds for one test. The slowest waits for cron, which runs once a minute.
TIMEOUT := 180
PYTEST = $(BIN)/pytest -n $(WORKERS) --dist loadgroup --timeout $(TIMEOUT)

.PHONY: demo test quick setup lint types layers dependencies unit fast completions bench simulate build

demo: setup
	@echo '$$ oncallctl teams who-is-on-call platform'
	@$(BIN)/oncallctl --profile sandbox teams who-is-on-call platform
	@echo '$$ oncallctl maintenance start service-010 --for 30m'
	@$(BIN)/oncallctl --profile sandbox maintenance start service-010 --for 30m
	@echo '$$ oncallctl maintenance status'
	@$(BIN)/oncallctl --profile sandbox maintenance status

test: lint types layers dependencies unit

# What a change needs before every commit: less than a minute.
quick: lint types layers fast

setup: $(VENV)/ready

# uv comes from the same place as everything else, and the lock file says which versions and hashes.
$(VENV)/ready: pyproject.toml uv.lock
	@python3 -m venv $(VENV) || { \
	  echo 'Python has no venv module; installing the Debian package for it.'; \
	  rm -rf $(VENV); \
	  if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq python3-venv >/dev/null && python3 -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet 'uv==0.13.8'
	@$(BIN)/uv sync --quiet --frozen --inexact
	@touch $@

lint: | setup
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --quiet --check

types: | setup
	$(BIN)/mypy

layers: | setup
	$(BIN)/lint-imports

dependencies: | setup
	$(BIN)/deptry oncallctl

unit: | setup
	$(PYTEST)

fast: | setup
	$(PYTEST) -q -m 'not slow'

completions: setup
	$(BIN)/oncallctl completion bash > completions/oncallctl.bash
	$(BIN)/oncallctl completion zsh > completions/_oncallctl
	$(BIN)/oncallctl completion fish > completions/oncallctl.fish

# Takes some minutes, on a machine that does nothing else, and needs hyperfine.
bench: setup
	$(BIN)/python tests/bench/bench.py

# A simulated year of `maintenance apply`: some minutes.
simulate: setup
	$(BIN)/python -m tests.simulation

build: setup
	$(BIN)/uv build --quiet
