# `make demo` and `make test` are each enough on a fresh clone: both call `setup`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN = .venv/bin
STAMP = .venv/.installed
CATALOG = experiments/catalog
PACKAGES = actors cluster chaos experiments benchmarks

.PHONY: help setup demo test test-long lint docs clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP) ## .venv with splitbrain and all that its tests need

$(STAMP): setup.cfg constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "splitbrain needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]' --constraint constraints.txt
	@touch $@

demo: setup ## leader election on the simulator and on Ray, compared
	$(BIN)/splitbrain run $(CATALOG)/leader-election.yaml --fabric sim
	$(BIN)/splitbrain run $(CATALOG)/leader-election.yaml --fabric ray
	$(BIN)/splitbrain compare @last~1 @last

lint: setup ## ruff, import contracts, types
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test: lint ## lint, then all tests but the long ones
	$(BIN)/pytest -n 2 -m "not long and not ray"
	$(BIN)/pytest -m "ray and not long"

test-long: setup ## the long searches, and all properties with new examples
	SPLITBRAIN_EXAMPLES=search $(BIN)/pytest -m "long or not ray"

docs: setup ## write the documents that are made from the code
	$(BIN)/python -m experiments.documents

clean: ## remove .venv and caches; runs stay
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
