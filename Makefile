# fertune: `make demo` shows the whole road, `make test` passes the tests. Both set themselves up.

# ---- budgets of the demo: at most 5 minutes after the install, on 4 cores
DATA         ?= builtin:faces
WORKERS      ?= $(shell n=$$(nproc 2>/dev/null || echo 2); if [ $$n -gt 4 ]; then echo 4; else echo $$n; fi)
LEAKY_BUDGET ?= --max-epochs 12 --time-budget 80s --workers $(WORKERS)
RELU_BUDGET  ?= --trials 6 --max-epochs 8 --time-budget 55s --workers $(WORKERS)
STACK_BUDGET ?= --top 1 --folds 3 --epochs 8 --time-budget 140s --workers $(WORKERS)
RUNS         ?= runs

VENV ?= .venv
BIN  := $(VENV)/bin

# The engine room: GPU builds where a GPU answers, CPU builds elsewhere. `make EXTRA=jax test` is possible too.
ifndef EXTRA
EXTRA := $(shell if nvidia-smi -L >/dev/null 2>&1; then echo gpu; else echo cpu; fi)
endif

# Any Python from 3.11 to 3.13; `make PYTHON=/path/to/python demo` names one.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(SUPPORTED)' >/dev/null 2>&1 && echo "$$p" && exit; done; echo python3)
endif

# Tests of one file stay in one process, since they share what they prepare.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile

.PHONY: help demo test test-slow test-all test-jax test-lowest coverage lint docs clean venv
.DEFAULT_GOAL := help

help:
	@echo "make demo      search two spaces on drawn faces, stack the best, write a report (about 5 minutes)"
	@echo "make test      the tests, without the slow ones"
	@echo "make test-all  all tests; make test-slow the slow ones alone"
	@echo "make lint      ruff and mypy"
	@echo "make docs      the site of the documentation, in site/; warnings are errors"
	@echo "make coverage  the tests, with the lines that none of them reaches"
	@echo "make test-jax  the training tests on Keras' JAX backend"
	@echo "make test-lowest  the tests with the oldest versions that setup.cfg promises"
	@echo "make venv      only make $(VENV) and install"
	@echo "make clean     remove $(VENV), caches and builds; runs stay"

demo: $(RUNS)/demo-stack/.done
	@$(BIN)/fertune report $(RUNS)/demo-stack -o $(RUNS)/demo-report.html

# Each step is done once; one that was interrupted goes on (--resume).
$(RUNS)/demo-leaky/.done: | $(VENV)/.installed-$(EXTRA)
	$(BIN)/fertune search --space leaky_cnn --tuner sprint --data '$(DATA)' $(LEAKY_BUDGET) --out $(@D) --resume
	@touch $@

$(RUNS)/demo-relu/.done: | $(VENV)/.installed-$(EXTRA)
	$(BIN)/fertune search --space relu_cnn --tuner random --data '$(DATA)' $(RELU_BUDGET) --out $(@D) --resume
	@touch $@

$(RUNS)/demo-stack/.done: $(RUNS)/demo-leaky/.done $(RUNS)/demo-relu/.done
	$(BIN)/fertune stack $(RUNS)/demo-leaky $(RUNS)/demo-relu $(STACK_BUDGET) --out $(@D) --resume
	@touch $@

test: $(VENV)/.installed-$(EXTRA)-check
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-slow: $(VENV)/.installed-$(EXTRA)-check-browser
	$(BIN)/python -m pytest -m slow $(SIDE_BY_SIDE)

test-all: test test-slow

test-jax: $(VENV)/.installed-cpu-check-jax
	KERAS_BACKEND=jax $(BIN)/python -m pytest -m "slow or not slow" tests/training tests/models

test-lowest:
	@mkdir -p build
	$(PYTHON) tests/packaging/lowest.py cpu check > build/lowest.txt
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c build/lowest.txt -e '.[cpu,check]'
	$(VENV)-lowest/bin/python -m pytest $(SIDE_BY_SIDE)

coverage: $(VENV)/.installed-$(EXTRA)-check-coverage
	$(BIN)/python -m pytest --cov=fertune --cov-branch --cov-report=term-missing:skip-covered

docs: $(VENV)/.installed-$(EXTRA)-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo site/index.html

lint: $(VENV)/.installed-$(EXTRA)-check-lint
	$(BIN)/python -m ruff check fertune search_spaces tests benchmarks docs/hooks
	$(BIN)/python -m ruff format --check --quiet fertune search_spaces tests benchmarks docs/hooks
	$(BIN)/python -m mypy

venv: $(VENV)/.installed-$(EXTRA)

# One stamp for each set of packages; a changed setup.cfg installs again.
$(VENV)/.installed-%: setup.cfg pyproject.toml | $(BIN)/python
	@echo "installing fertune[$(subst -,$(comma),$*)] into $(VENV): some minutes the first time"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(subst -,$(comma),$*)]'
	@touch $@

comma := ,

$(BIN)/python:
	@$(PYTHON) -c '$(SUPPORTED)' 2>/dev/null || { \
		echo "error: fertune needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1 | head -n 1)" >&2; \
		echo "help: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "error: $(PYTHON) cannot make a virtual environment" >&2; \
		echo "help: on Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 2; }

clean:
	rm -rf $(VENV) $(VENV)-lowest build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find fertune search_spaces tests -name __pycache__ -type d -prune -exec rm -rf {} +
