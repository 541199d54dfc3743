PYTHON ?= python3
VENV   := .venv
# Asked before DVC, which fails on some wrong values without naming the key.
CHECK  := python stages/check_params.py
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help repro report test fuzz lint fetch lock bench torture vulnerabilities sbom clean repository

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 17

repro: repository $(VENV)/installed  ## run the whole pipeline and show the comparison
	@$(CHECK)
	dvc repro headline
	dvc repro
	@cat metrics/compare.md

report: repository $(VENV)/installed  ## make report/index.html, and everything in the pipeline that it needs
	unmask report

test: lint  ## check style and types, then run all tests
	pytest --numprocesses 2 -m "not rare"

fuzz: $(VENV)/installed  ## run each fuzz test on 10,000 generated inputs; takes 15 minutes
	pytest --numprocesses 2 --hypothesis-profile nightly tests/bad_input

lint: $(VENV)/installed  ## check style and types
	ruff check
	ruff format --check
	mypy

fetch: $(VENV)/installed  ## download FER2013 from Kaggle with your own credentials
	unmask fetch

lock: $(VENV)/installed  ## update requirements.lock from pyproject.toml
	pip install --quiet pip-tools
	pip-compile --quiet --allow-unsafe --extra dev --strip-extras --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --output-file requirements.lock pyproject.toml

vulnerabilities: $(VENV)/installed  ## look up known vulnerabilities in the locked dependencies
	pip install --quiet pip-audit
	pip-audit --requirement requirements.lock --require-hashes --disable-pip

bench: $(VENV)/installed .venv-bench/installed  ## run all benchmarks and write benchmarks/results.md
	python benchmarks/run_all.py $(BENCH)

torture: $(VENV)/installed  ## kill the pipeline at random moments and check what is left; run rare tests
	python benchmarks/torture.py
	pytest -m rare

sbom: $(VENV)/installed  ## write sbom.json, which lists what requirements.lock installs
	pip install --quiet cyclonedx-bom
	cyclonedx-py requirements requirements.lock --output-file sbom.json

clean:  ## remove the environment and unfinished runs; data, models and the DVC cache stay
	rm -rf $(VENV) .checkpoints

# Asked before minutes of installing: DVC refuses a folder that is not a Git repository.
repository:
	@git rev-parse --git-dir > /dev/null 2>&1 || grep -qs 'no_scm = true' .dvc/config.local || { \
	  echo 'error: this folder is not a Git repository; clone it or run `git init`, or go without' \
	    'by `make .venv/installed && .venv/bin/dvc config --local core.no_scm true`' >&2; exit 2; }

$(VENV)/installed: requirements.lock pyproject.toml
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --no-compile --disable-pip-version-check --requirement requirements.lock
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# Only benchmarks need these, to compare with. Lightning is kept apart from that environment's own
# packages: it runs on the same PyTorch as we do.
.venv-bench/installed: benchmarks/others.txt
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check $$(grep tensorflow $<)
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --no-deps --upgrade \
	  --target .venv-bench/lightning $$(grep lightning $<)
	touch $@
