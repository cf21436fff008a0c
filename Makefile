# Everything a newcomer or CI runs. `make help` lists it; each target is safe to run again.

PYTHON ?= python3
SERVICE ?= push
BASE ?= python:3.11-slim
ENGINE ?= docker
IMAGE ?= magpie/$(SERVICE)
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
PY_FOLDERS := services clients tests benchmarks protos
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

lock: $(READY) ## resolve requirements/*.txt again from pyproject.toml
	$(COMPILE) pyproject.toml --extra dev --output-file requirements/dev.txt
	echo hatchling | $(COMPILE) - --output-file requirements/build.txt
	for image in $(IMAGES); do \
	  $(COMPILE) pyproject.toml --extra $$image --constraint requirements/dev.txt \
	    --output-file requirements/$$image.txt || exit 1; \
	done

clean: ## remove the environment, the caches and the builds
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find clients services tests benchmarks protos -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. Its stamp is older than what it was made from only when that has changed.
$(READY): requirements/dev.txt requirements/build.txt pyproject.toml | python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "Magpie needs Python 3.11 or newer, and there is no '$(PYTHON)'. Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Magpie needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "'$(PYTHON)' cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
