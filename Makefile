# Tieout. `make` alone says what there is. Every target makes what it needs from a bare
# Python >= 3.11 and leaves alone what is already made. ARGS="…" is passed on.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# All paths are relative to this folder: a folder with blanks in its name works.
BIN := .venv/bin
STEP := scripts/step
SCRATCH := build/check

# Nothing here reports home. (Dagster, dbt and Great Expectations each have a switch of their own.)
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false

CHECKS := check-format check-lint check-types check-dbt check-sql check-conventions

.PHONY: help setup run test soak compare check $(CHECKS) format bench bench-credit
.PHONY: bench-drift bench-scorecard bench-trajectory ui docs superset-setup superset test-superset lock clean clean-all

help: ## say what there is
	@echo "Tieout $$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml). Targets (each sets up what it needs):"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) \
		| awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

setup: ## make .venv from requirements.lock (once; again when the lock changes)
	@scripts/setup

# The sample's people are invented: with a fixed key every clone publishes the same bytes of data.
run: export TIEOUT_PERSON_KEY ?= bundled-sample
run: setup ## close the books of the bundled sample company and publish them
	@$(BIN)/tieout run --sources seeds/sample/sources.yml $(ARGS)

test: setup ## run all tests
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

soak: setup ## try the random companies and plans of the tests in their full number
	@TIEOUT_COMPANIES=500 TIEOUT_PLANS=1000 $(BIN)/python -m pytest -q -n 2 --dist loadfile \
		tests/integration/test_companies_laws.py tests/integration/test_plan_companies.py \
		tests/integration/test_plan_workbook.py $(ARGS)

check: setup ## run everything static: format, lint, types, SQL, dbt, conventions
	+@$(MAKE) -k $(if $(findstring -j,$(MAKEFLAGS)),,-j2) $(CHECKS)

check-format: setup
	@$(STEP) "format: ruff format" $(BIN)/ruff format --check --diff .

check-lint: setup
	@$(STEP) "lint: ruff" $(BIN)/ruff check .

check-types: setup
	@$(STEP) "types: mypy --strict" $(BIN)/mypy

# dbt reads where things are from the environment; nothing is built, so nothing need be there.
check-dbt: export TIEOUT_WAREHOUSE := $(CURDIR)/$(SCRATCH)/dbt/warehouse.duckdb
check-dbt: export TIEOUT_INPUTS := $(CURDIR)/$(SCRATCH)/inputs
check-dbt: export DBT_TARGET_PATH := $(CURDIR)/$(SCRATCH)/dbt
check-dbt: export DBT_LOG_PATH := $(CURDIR)/$(SCRATCH)/dbt/logs
check-dbt: setup
	@mkdir -p $(SCRATCH)/dbt
	@$(STEP) "dbt: parse" $(BIN)/dbt parse --project-dir dbt_project --profiles-dir dbt_project
	@$(STEP) "dbt: conventions (dbt-bouncer)" $(BIN)/dbt-bouncer run --config-file dbt_project/dbt-bouncer.yml

check-sql: export TIEOUT_WAREHOUSE := $(CURDIR)/$(SCRATCH)/sql/warehouse.duckdb
check-sql: export TIEOUT_INPUTS := $(CURDIR)/$(SCRATCH)/inputs
check-sql: export DBT_TARGET_PATH := $(CURDIR)/$(SCRATCH)/sql
check-sql: export DBT_LOG_PATH := $(CURDIR)/$(SCRATCH)/sql/logs
check-sql: setup
	@mkdir -p $(SCRATCH)/sql
	@$(STEP) "sql: sqlfluff" $(BIN)/python scripts/lint_sql.py $(SCRATCH)/sql

check-conventions: setup
	@$(STEP) "conventions: layout, imports, docs, SQL" $(BIN)/python -m pytest -q -p no:cacheprovider tests/conventions

format: setup ## put Python in its form
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

bench: setup ## measure a whole run against the same work by hand (ARGS="--help")
	@$(BIN)/python -m benchmarks $(ARGS)

compare: setup ## install what comparisons with other packages need (takes a C++ compiler)
	@$(BIN)/python -m pip show --quiet channelattribution 2> /dev/null || $(STEP) "compare: other packages" \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements-compare.lock

bench-credit: setup ## measure credit beside the package channelattribution (ARGS="--help")
	@$(BIN)/python -m benchmarks.credit $(ARGS)

bench-drift: setup ## simulate drift: false alarms and delay beside what people use (ARGS="--help")
	@$(BIN)/python -m benchmarks.drift $(ARGS)

bench-scorecard: setup ## measure the scorecard of a million leads (ARGS="--help")
	@$(BIN)/python -m benchmarks.scorecard $(ARGS)

bench-trajectory: setup ## measure how often the projections are right (ARGS="--help")
	@$(BIN)/python -m benchmarks.trajectory $(ARGS)

ui: setup ## open Dagster and the live pages on loopback (ARGS="--only pages")
	@$(BIN)/tieout ui $(ARGS)

docs: setup ## build the documentation as a site that needs no network: build/site/index.html
	@$(STEP) "docs: pages, links, dbt's page, no request to any host" scripts/docs

superset-setup: setup ## make .venv-superset from requirements-superset.lock (once; 0.9 GB)
	@$(STEP) "superset: its own environment" scripts/setup_superset

superset: superset-setup ## open the dashboard in Superset on 127.0.0.1:8088, until Ctrl-C
	@.venv-superset/bin/python bi/superset/prepare.py serve $(ARGS)

test-superset: superset-setup ## read the published file through a real Superset (minutes; not in CI)
	@$(BIN)/python -m pytest -q tests/integration/test_superset.py $(ARGS)

lock: setup ## resolve requirements*.in into the hashed locks (UPGRADE=1 for newer versions)
	@$(STEP) "lock: the requirements locks" scripts/lock

clean: ## remove what checks, tests and builds leave; keeps .venv and the books in .tieout
	@rm -rf build dist logs .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks *.egg-info \
		dbt_project/target dbt_project/logs
	@find orchestration expectations benchmarks seeds scripts tests -name __pycache__ -type d \
		-prune -exec rm -rf {} +

clean-all: clean ## remove .venv too (never .tieout: those are a company's books)
	@rm -rf .venv .venv-superset
