PYTHON ?= python3
VENV   := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: repro test lint lock fetch clean

repro: $(VENV)/installed  ## run the pipeline and show the table
	dvc repro
	@cat metrics/compare.md

test: $(VENV)/installed  ## lint, check types and run the tests
	ruff check . && ruff format --check . && mypy
	pytest -n 2

fetch: $(VENV)/installed  ## get fer2013 from Kaggle with your own credentials
	unmask-fetch

lock:  ## renew requirements.lock from pyproject.toml
	$(VENV)/bin/pip install pip-tools
	$(VENV)/bin/pip-compile --quiet --extra dev --strip-extras --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --output-file requirements.lock pyproject.toml

$(VENV)/installed: requirements.lock pyproject.toml
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --editable .
	touch $@

clean:  ## remove the environment and unfinished runs; data, models and the DVC cache stay
	rm -rf $(VENV) .checkpoints
