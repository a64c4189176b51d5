# Everything a developer, a user and CI do. `make demo` and `make test` set up a fresh machine by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2

.PHONY: help setup demo test lint docs format validate validate-all attacks kills fuzz clean

help:  ## Show this list.
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/'

setup: $(READY)  ## Make the virtual environment.

# torch comes first and by its exact version: any looser spelling may fetch a build for another machine.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=python3.11")'
	@ldconfig -p 2>/dev/null | grep -q libseccomp || echo "libseccomp is missing: sandbox level namespaces needs it (apt-get install libseccomp2)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY)  ## Grade a class of made-up submissions and print who got what and why.
	@$(BIN)/python -m bench.demo

test: $(READY)  ## Run the tests, with kept submissions of every kind.
	$(BIN)/python -m pytest -m "not alone" --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m pytest -m alone

lint: $(READY)  ## Check format, lint and types, and that notebooks are fresh.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/autograde build --check

docs: $(READY)  ## Write the reference pages from the code, and build the site into build/site.
	$(BIN)/python docs/site/reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

format: $(READY)  ## Format the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

validate: $(READY)  ## Grade representatives of the kept submissions: together they lose every check.
	$(BIN)/autograde validate --quick --jobs $(JOBS)

validate-all: $(READY)  ## Grade every kept submission, full-size trainings included (long).
	$(BIN)/autograde validate --jobs $(JOBS)

attacks: $(READY)  ## Grade every kept attack, look at the machine afterwards, and print what each one got (long).
	AUTOGRADE_ATTACKS=all $(BIN)/python -m pytest -q tests/test_attacks.py
	$(BIN)/python tests/attacks/table.py --jobs $(JOBS)

kills: $(READY)  ## Kill 50 processes of a run over 60 submissions, and compare with an undisturbed run (long).
	AUTOGRADE_STUDENTS=60 AUTOGRADE_KILLS=50 $(BIN)/python -m pytest -q tests/grading/test_resume.py

FRAMES ?= 100000
ARCHIVES ?= 10000

fuzz: $(READY)  ## Feed the wire and the intake of submissions with hostile input.
	$(BIN)/python -m bench.fuzz --frames $(FRAMES) --archives $(ARCHIVES)

clean:  ## Remove what setup and runs left.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
