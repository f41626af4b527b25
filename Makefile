# Every target sets up what it needs: a virtual environment in .venv, from locked and hashed requirements.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Without bytecode every process would compile the libraries anew: many seconds at each start.
unexport PYTHONDONTWRITEBYTECODE
LOCKS := requirements/bootstrap.txt requirements/dev.txt
PACKAGES := activities api benchmarks db domain embedded integrations tests workflows cases.py cli.py config.py crypto.py links.py observability.py temporal_client.py worker.py

.PHONY: help demo up test format lint bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

.venv/.ready: $(LOCKS) pyproject.toml scripts/bootstrap.py
	@$(PYTHON) scripts/bootstrap.py

demo: .venv/.ready ## play the eConsult through its whole lives in simulated time
	@$(BIN)/carewave demo

up: .venv/.ready ## run the whole stack in real time, until Ctrl-C
	@$(BIN)/carewave up

test: .venv/.ready ## format check, lint, types, import contracts, artefacts and tests
	@$(BIN)/python scripts/check.py

format: .venv/.ready ## rewrite the code in the project's format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: .venv/.ready ## format check, lint, types and import contracts, without the tests
	@$(BIN)/python scripts/check.py --no-tests

bench: .venv/.ready ## measure what an eConsult costs, beside a bare Temporal workflow
	@$(BIN)/python -m benchmarks

lock: .venv/.ready ## resolve the requirements anew, hashed and without host names
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml requirements/build.in -o requirements/dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-header pyproject.toml requirements/build.in -o requirements/run.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-header requirements/bootstrap.in -o requirements/bootstrap.txt

clean: ## remove the environment and the state of the embedded stack
	rm -rf .venv .carewave
