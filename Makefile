# One word per job. `make` or `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
CARGO ?= cargo
PORT ?= 8888

VENV := $(CURDIR)/.venv
VENV_PYTHON := $(VENV)/bin/python
VENV_READY := $(VENV)/.ready

# `maturin` installs into the virtual environment that this names; pyo3 asks the same Python
# whoever builds it, or each builder would undo the others' work.
export VIRTUAL_ENV := $(VENV)
export PYO3_PYTHON := $(VENV_PYTHON)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

say = @printf '\n==> %s\n' '$(1)'

.PHONY: help
help: ## List the words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@printf '\n  %s\n' 'PORT=9999 moves the demo; PYTHON=python3.13 chooses the interpreter.'

.PHONY: demo
demo: tools setup ## Build, then serve the example site and a development broker
	$(call say,Building the Python module for release; the first time takes some minutes)
	@cd python && $(VENV_PYTHON) -m maturin develop --release
	@exec $(VENV_PYTHON) python/examples/tornado/demo.py --port $(PORT)

.PHONY: test
test: tools test-rust test-vectors test-python ## Run every suite

.PHONY: test-rust
test-rust: tools ## Run the Rust suites and the examples in their documentation
	$(call say,Rust: every feature)
	@$(CARGO) test --locked -p portier-client --all-features
	$(call say,Rust: default features)
	@$(CARGO) test --locked -p portier-client

.PHONY: test-vectors
test-vectors: tools setup ## Check that the test vectors are what their generator makes
	$(call say,Vectors: tests/vectors/generate.py --check)
	@$(VENV_PYTHON) tests/vectors/generate.py --check

.PHONY: test-python
test-python: tools setup module types ## Run the Python suites, type checks and documentation examples
	$(call say,Python: tests)
	@cd python && $(VENV_PYTHON) -m pytest

.PHONY: types
types: tools setup module
	$(call say,Python: types)
	@cd python && $(VENV_PYTHON) -m mypy
	$(call say,Python: stubs against the compiled module)
	@cd python && $(VENV_PYTHON) -m mypy.stubtest --concise portier_client._native

.PHONY: lint
lint: tools setup module types ## Check form: formatting, lints, types, licences, length of files
	$(call say,Rust: format)
	@$(CARGO) fmt --all --check
	$(call say,Rust: clippy)
	@$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	$(call say,Python: ruff)
	@$(VENV_PYTHON) -m ruff check --config python/pyproject.toml python tests scripts
	@$(VENV_PYTHON) -m ruff format --config python/pyproject.toml --check python tests scripts
	$(call say,Dependencies: cargo deny)
	@if $(CARGO) deny --version >/dev/null 2>&1; \
		then $(CARGO) deny --all-features check --hide-inclusion-graph; \
		else echo 'left out: install it with `cargo install --locked cargo-deny`'; fi
	$(call say,Files: length and stray paths)
	@$(VENV_PYTHON) scripts/check_files.py

.PHONY: bench
bench: tools setup ## Measure, against the bare signature verification of the same run
	$(call say,Building for release; the first time takes some minutes)
	@cd python && $(VENV_PYTHON) -m maturin develop --release
	@$(VENV_PYTHON) tests/bench/run.py

.PHONY: docs
docs: tools ## Build the reference of the crate into target/doc
	$(call say,Rust: reference)
	@RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --all-features -p portier-client
	@echo 'the manual is docs/index.md; the reference of the crate is target/doc/portier_client/index.html'

.PHONY: clean
clean: ## Remove everything that was built or installed here
	rm -rf target .venv .tools python/portier_client/*.so
	rm -rf python/.pytest_cache python/.mypy_cache python/.ruff_cache .ruff_cache .mypy_cache .pytest_cache .hypothesis python/.hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: tools
tools:
	@PYTHON='$(PYTHON)' CARGO='$(CARGO)' scripts/check_tools.sh

.PHONY: setup
setup: $(VENV_READY)

# What is there for another interpreter than $(PYTHON) is not ready.
abi = $(shell $(1) -c 'import sysconfig; print(sysconfig.get_config_var("SOABI"))' 2>/dev/null)
ifneq ($(call abi,$(VENV_PYTHON)),$(call abi,$(PYTHON)))
.PHONY: $(VENV_READY)
endif

$(VENV_READY): python/requirements-dev.txt
	$(call say,Setting up .venv)
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV_PYTHON) -m pip install --quiet --requirement $<
	@touch $@

.PHONY: module
module: tools setup
	$(call say,Python: build the module)
	@cd python && $(VENV_PYTHON) -m maturin develop
