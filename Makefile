# Each goal sets up what it needs. PYTHON chooses the interpreter (3.10 to 3.13): make demo PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test bench lint clean

demo: .venv/.installed  ## synthetic corpora, train on one language, evaluate on seven others, report
	$(BIN)/xlser run recipes/synthetic/dae-both.yaml

test: .venv/.installed  ## the whole test suite, doctests included
	$(BIN)/python -m pytest -q

bench: .venv/.installed  ## the timings the README quotes, as ratios taken in one run
	$(BIN)/python -m pytest -q -s -m bench tests/benchmarks

lint: .venv/.installed  ## what pre-commit checks
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

clean:
	rm -rf .venv runs .pytest_cache .ruff_cache

.venv/.installed: pyproject.toml
	@$(PYTHON) -c "import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 13) else \
	'xlser needs Python 3.10 to 3.13, but $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12' % v)"
	@echo "Installing into .venv: about 5 GB with PyTorch, a few minutes the first time only."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
