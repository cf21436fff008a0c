# Everything a newcomer or CI runs. `make help` lists it; each target is safe to run again.

PYTHON ?= python3
SERVICE ?= push
BASE ?= python:3.11-slim
ENGINE ?= $(or $(shell command -v docker),$(shell command -v podman),buildah)
IMAGE ?= magpie/$(SERVICE)
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
PY_FOLDERS := services clients tests benchmarks protos deploy docs
IMAGES := candidate cli content feedback lake model_server profile push ranking training

.DEFAULT_GOAL := help
.PHONY: help demo up test check format protos image lock clean python

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: $(READY) ## the whole loop on this machine: warm up, train, push, learn, report
	$(BIN)/magpie demo

up: $(READY) ## start the whole suite on this machine and leave it running
	$(BIN)/magpie up

test: $(READY) ## every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: $(READY) ## format, lint, types, import rules, protos and their stubs, YAML
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PY_FOLDERS)
	$(BIN)/lint-imports
	$(BIN)/buf lint protos
	$(BIN)/python protos/generate.py --check
	$(BIN)/yamllint --strict .

format: $(READY) ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

protos: $(READY) ## make the stubs again from protos/
	$(BIN)/python protos/generate.py

image: ## build one image: make image SERVICE=push BASE=python:3.11-slim
	$(ENGINE) build --file deploy/Dockerfile --build-arg BASE=$(BASE) --build-arg SERVICE=$(SERVICE) --tag $(IMAGE) .

# Versions are resolved once, in dev.txt; every other file is a subset of it.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header
TESTED = --constraint requirements/dev.txt

lock: $(READY) ## add what pyproject.toml newly asks for to requirements/ (UPGRADE=1: newest versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra dev --output-file requirements/dev.txt
	echo hatchling | $(COMPILE) - $(TESTED) --output-file requirements/build.txt
	echo uv | $(COMPILE) - $(TESTED) --output-file requirements/uv.txt
	set -e; for image in $(IMAGES); do \
	  $(COMPILE) pyproject.toml --extra $$image $(TESTED) --output-file requirements/$$image.txt; \
	done

clean: ## remove the environment, the caches and the builds
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find clients services tests benchmarks protos -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, made again when what it is made from has changed. uv is four times as fast as pip here, but does
# not read pip's configuration: where only that knows the way to the packages, pip itself does the work.
# Compiled at once, as pip does: else every process that imports TensorFlow takes 4 s longer wherever Python is told not
# to write bytecode.
PIP := $(BIN)/python -m pip --disable-pip-version-check
PINNED := --require-hashes --requirement requirements/build.txt --requirement requirements/dev.txt

$(READY): requirements/build.txt requirements/dev.txt requirements/uv.txt pyproject.toml | python
	@echo "Installing into $(VENV): 1 to 3 minutes the first time, most of it download."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes --requirement requirements/uv.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(PINNED) || { \
	  echo "uv cannot get the packages; asking pip, which is slower."; $(PIP) install --quiet $(PINNED); }
	@$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

python:
	@command -v $(PYTHON) >/dev/null || { echo >&2 \
	  "Magpie needs Python 3.11 to 3.13; there is no '$(PYTHON)'. Name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo >&2 \
	  "Magpie needs Python 3.11 to 3.13; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo >&2 \
	  "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
