# Two commands do all: `make bench` and `make test`. Both may be run again and are quick then.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := edge,crf,fasttext,fetch,fleet,images,ocr,export,energy,report,pytest,dev
STAMP := $(VENV)/.installed

.PHONY: help bench bench-quick test lint docs clean

help:
	@echo "make bench        install, fetch, prepare, run the default suite, print the table"
	@echo "make bench-quick  the same in minutes, with a short suite (also: STEELYARD_QUICK=1 make bench)"
	@echo "make test         run the tests"
	@echo "make lint         format, lint, types and import contracts"
	@echo "make docs         write the generated parts of the README anew"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "steelyard needs Python 3.10 or newer; say which: make PYTHON=python3.11 ..."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

bench: $(STAMP)
	$(BIN)/steelyard run

bench-quick: $(STAMP)
	$(BIN)/steelyard run --quick

test: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) dist build
