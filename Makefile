# The only door: everything a person or CI does is a target here.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools

.PHONY: help install dev tools test-tools demo format lint types imports pins test unit docs bench clean

help:  ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed  ## make .venv with the product alone: .venv/bin/harness

$(VENV)/bin/python:
	$(PYTHON) .ci/venv.py $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

dev: $(VENV)/.dev  ## also what tests, linters and the documentation need

$(VENV)/.dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

tools: $(TOOLS)/.chain install  ## what examples and tests run, from npm
	$(BIN)/graph-test-daemon tools install

$(TOOLS)/.chain: examples/chain/package.json examples/chain/package-lock.json
	@mkdir -p $(TOOLS)/chain
	@cp examples/chain/package.json examples/chain/package-lock.json $(TOOLS)/chain/
	npm ci --prefix $(TOOLS)/chain --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

test-tools: $(TOOLS)/.tests  ## what tests compare with, from npm: a compiler, the Graph's own command

$(TOOLS)/.tests: tests/npm/package.json tests/npm/package-lock.json
	@mkdir -p $(TOOLS)/tests
	@cp tests/npm/package.json tests/npm/package-lock.json $(TOOLS)/tests/
	npm ci --prefix $(TOOLS)/tests --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

demo: install tools  ## the main job: the protocol comes up, a subgraph is allocated to and earns rewards
	@examples/graph/demo.sh

format: dev  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: dev  ## style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: dev  ## types, strictly
	$(BIN)/mypy

imports: dev  ## the import contracts
	$(BIN)/lint-imports

unit: dev  ## the fast tests
	$(BIN)/python -m pytest tests/unit -n 2 --dist worksteal

pins:  ## resolve the dependencies anew into requirements.txt and requirements-dev.txt
	rm -rf $(TOOLS)/pins
	$(PYTHON) .ci/venv.py $(TOOLS)/pins
	$(TOOLS)/pins/bin/python -m pip install --quiet --upgrade pip
	$(TOOLS)/pins/bin/python -m pip install --quiet '.[graph]'
	$(TOOLS)/pins/bin/python -m pip freeze --exclude graph-network-harness --exclude setuptools > requirements.txt
	$(TOOLS)/pins/bin/python -m pip install --quiet -r requirements-dev.in
	$(TOOLS)/pins/bin/python -m pip freeze --all --exclude graph-network-harness --exclude pip \
	    | grep -vxFf requirements.txt > requirements-dev.txt

test: lint types imports docs tools test-tools  ## everything CI checks: style, types, imports, docs, every test
	$(BIN)/python -m pytest -n 2 --dist worksteal

docs: dev  ## build the documentation, warnings are errors
	$(BIN)/sphinx-build -q -n -W docs docs/_build/html

bench: dev  ## measure the speed table beside supervisord, circus and pm2
	$(BIN)/python -m bench

clean:  ## remove what the targets above made
	rm -rf $(VENV) $(TOOLS) docs/_build build dist src/*.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests bench docs examples -name __pycache__ -prune -exec rm -rf {} +
