# Each goal sets up what it needs. PYTHON chooses the interpreter (3.10 to 3.13): make demo PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
SETUP := $(if $(filter command line environment,$(origin PYTHON)),PYTHON_CHOSEN=1) .ci/setup $(PYTHON)

.PHONY: demo test test-quick docs bench stress lint types lock test-newest test-oldest setup clean

demo: setup  ## synthetic corpora, train on one language, evaluate on seven others, report
	$(BIN)/xlser run recipes/synthetic/dae-both.yaml

test: setup lint types  ## what CI runs: ruff, mypy, the tests, docstrings and README
	$(BIN)/python -m pytest -q

test-quick: setup  ## what a change is tried with: no test of eight seconds or more
	$(BIN)/python -m pytest -q -m "not bench and not stress and not slow"

docs: setup  ## the guide, the results and the reference made from the code, as a site in runs/docs
	$(BIN)/xlser docs --out runs/docs

bench: setup  ## the timings the README quotes, as ratios taken in one run
	$(BIN)/python -m pytest -q -s -m bench tests/benchmarks

stress: setup  ## a hundred kills at random moments; the seed that it prints repeats them: XLSER_KILLS_SEED=... make stress
	$(BIN)/python -m pytest -q -s -m stress tests/stress

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup
	@.ci/types

setup:
	@$(SETUP)

lock: setup  ## choose every version anew, within what pyproject.toml permits
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --all-extras --python-version 3.10 \
	  --custom-compile-command "make lock" pyproject.toml -o requirements.lock

test-newest:  ## the newest versions that pyproject.toml permits, in an environment of their own
	@$(SETUP) highest
	.venv-newest/bin/python -m pytest -q tests/test_smoke.py

test-oldest:  ## the lowest versions of what pyproject.toml names, likewise
	@$(SETUP) lowest-direct
	.venv-oldest/bin/python -m pytest -q tests/test_smoke.py

clean:
	rm -rf .venv .venv-newest .venv-oldest .uv runs .pytest_cache .ruff_cache .mypy_cache
