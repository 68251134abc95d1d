# The only entry. `make demo` and `make test` set up everything they need in .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test nightly vo fmt lint types layers cases docs bench check lock clean

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## the virtual environment in .venv, at the locked versions

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: install it, or say PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing: run 'apt-get install python3-venv' first" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## a simulated sky on a cluster of four shards, and a tour of it
	$(BIN)/skyshard demo $(if $(SKYSHARD_HOME),--home $(SKYSHARD_HOME))

test: $(READY) ## all tests, on real servers that they start and stop
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

nightly: $(READY) ## thousands of random queries and 110 kills, new ones each day; every query of the corpora on every sky
	$(BIN)/pytest -n $(JOBS) --dist load --nightly -rP tests/paths/test_differential.py tests/paths/test_random_queries.py tests/paths/test_hostile.py tests/paths/test_lost_shard.py tests/paths/test_live_faults.py tests/paths/test_live_sizes.py tests/faults tests/workers/test_cluster_nodes.py tests/qserv/jobs/test_czars.py

vo: $(READY) ## clients and validators of the Virtual Observatory: STILTS' taplint (Debian: stilts), pyvo, astroquery
	$(BIN)/pytest --nightly -rP tests/vo tests/qserv/http/test_pyvo.py tests/qserv/jobs/test_clients.py tests/qserv/jobs/test_uploads.py

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

layers: $(READY) ## the chain of folders and the reading orders
	$(BIN)/lint-imports

check: lint types layers ## lint, types, layers and the tests that need no server
	$(BIN)/pytest -q -m "not postgres and not cluster"

fmt: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cases: $(READY) ## rewrite the expectations of tests/cases; review them as a diff
	$(BIN)/pytest -q --update-cases tests/cases tests/qserv

docs: $(READY) ## write docs/adql.md from the cases
	$(BIN)/pytest -q --update-cases tests/house/test_adql_page.py

bench: $(READY) ## measure against PostgreSQL and DuckDB; see docs/performance.md
	$(BIN)/python -m tests.bench

lock: $(READY) ## resolve requirements.lock anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra test --extra demo --extra ray pyproject.toml -o requirements.lock --no-header --no-annotate --no-emit-index-url

clean: ## remove the virtual environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
