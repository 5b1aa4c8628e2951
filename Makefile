# Two commands set up everything: `make demo` runs the main job on the sandbox, `make test` runs every check.

VENV := .venv
BIN := $(VENV)/bin
export UV_PROJECT_ENVIRONMENT := $(VENV)

# Trust the certificates of the system, so that installing works behind a proxy that inspects TLS.
export UV_SYSTEM_CERTS := true
CERTIFICATES := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
ifneq ($(CERTIFICATES),)
export PIP_CERT ?= $(CERTIFICATES)
endif

# Test processes: two more than cores, because some tests wait. `make test WORKERS=0` uses one, as a debugger needs.
WORKERS := $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 2)))
# Seconds per test. The slowest waits for cron, which runs once a minute.
TIMEOUT := 180
PYTEST = $(BIN)/pytest -q -n $(WORKERS) --dist worksteal --timeout $(TIMEOUT)

.PHONY: help demo test quick setup lint types layers dependencies unit fast completions reference picture bench simulate build

help: ## Show the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/runtime ## Show who is on call, page a team and open a window, on the sandbox.
	@tools/demo $(BIN)/oncallctl

test: lint types layers dependencies unit ## Run every check: lint, types, layers, dependencies and all tests.

quick: lint types layers fast ## Run the checks for every commit: everything but the slow tests.

setup: $(VENV)/ready ## Create the virtual environment with the locked dependencies.

# uv is installed by version; the lock file pins everything else with hashes.
$(VENV)/ready: $(VENV)/uv pyproject.toml uv.lock
	@$(BIN)/uv sync --quiet --frozen --inexact
	@touch $@ $(VENV)/runtime

# Only what the program needs, without the tools for development.
$(VENV)/runtime: $(VENV)/uv pyproject.toml uv.lock
	@$(BIN)/uv sync --quiet --frozen --inexact --no-dev
	@touch $@

$(VENV)/uv:
	@python3 -m venv $(VENV) || { \
	  rm -rf $(VENV); \
	  if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; \
	    echo 'Python has no venv module. Installing the Debian package python3-venv with sudo.'; fi; \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq python3-venv >/dev/null && python3 -m venv $(VENV); }
	@$(BIN)/python -m pip install --quiet 'uv==0.13.8'
	@touch $@

lint: | setup ## Check style and formatting with ruff.
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --quiet --check

types: | setup ## Check types with mypy.
	$(BIN)/mypy

layers: | setup ## Check that imports point downwards only.
	$(BIN)/lint-imports

dependencies: | setup ## Check that every dependency is declared and used.
	$(BIN)/deptry oncallctl

unit: | setup ## Run all tests.
	$(PYTEST)

fast: | setup ## Run the tests that are not marked slow.
	$(PYTEST) --hypothesis-profile quick -m 'not slow' tests/unit tests/cli tests/docs

completions: setup ## Generate the completion scripts.
	$(BIN)/oncallctl completion bash > completions/oncallctl.bash
	$(BIN)/oncallctl completion zsh > completions/_oncallctl
	$(BIN)/oncallctl completion fish > completions/oncallctl.fish

reference: setup ## Generate the command reference in docs/ and the manual page.
	$(BIN)/python -m tools.reference

picture: setup ## Run commands on the sandbox in a terminal, and save the picture for the README.
	$(BIN)/python -m tools.picture

bench: setup ## Measure performance; needs hyperfine and an otherwise idle machine, takes minutes.
	$(BIN)/python tests/bench/bench.py

simulate: setup ## Simulate a year of `maintenance apply` on two hosts with faults; takes minutes.
	$(BIN)/python -m tests.simulation

build: setup ## Build the wheel and the source distribution.
	$(BIN)/uv build --quiet
