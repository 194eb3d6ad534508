# Pythons to make the environment with, the first that fits and really runs (a shim of pyenv may not).
PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3
FITS = import ensurepip, sqlite3, ssl, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
VENV ?= .venv
BIN = $(VENV)/bin
PYTEST = $(BIN)/python -m pytest
# A file stays in one process, which makes its fixtures once.
TOGETHER = --dist loadfile --no-loadscope-reorder -n

# A module is compiled once, whatever the machine's habit, and not by each process that is started.
unexport PYTHONDONTWRITEBYTECODE

# Tests run beside each other; a network that takes every processor for itself would slow them all. Benchmarks, which
# have the machine for themselves, run as the product does.
test check: export OMP_NUM_THREADS = 1

.PHONY: demo dev test check tables install install-test resolve audit lint clean

demo: install ## install, migrate, seed and run everything on http://127.0.0.1:$(PORT)
	@$(BIN)/python manage.py demo

dev: install ## the demo for those who change it: everything starts again when its code changes
	@$(BIN)/python manage.py dev

test: install-test ## lint, migrations check, every test that needs no more than Python: before each change
	@$(MAKE) --no-print-directory -j 2 --output-sync lint tables
	$(PYTEST) $(TOGETHER) auto -m "not check"

check: install-test ## all other tests: servers, a browser, worker processes, R; the database's again on PostgreSQL
	$(PYTEST) $(TOGETHER) 4 -m "check and (processor_time or not benchmarks)"
	$(BIN)/python -m tests.servers $(PYTEST) $(TOGETHER) 3 -m "database and not (browser or benchmarks or nginx or alike)"
	env -u OMP_NUM_THREADS $(PYTEST) tests/benchmarks -m "benchmarks and not processor_time" --durations=10

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The tables that tests begin with, which take one processor; types take the other meanwhile. Here all files of tests
# are read, and compiled, once for every process that tests (tests/chosen_files.py).
tables: install-test
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PYTEST) -n 0 -q -k test_every_migration_of_a_new_database_is_applied

install: $(VENV)/installed

install-test: $(VENV)/installed-test

$(VENV)/installed: requirements.txt docker/requirements-web.txt docker/requirements-worker.txt $(BIN)/python
	@$(BIN)/python .ci/install.py requirements.txt
	@touch $@

$(VENV)/installed-test: $(VENV)/installed tests/requirements.txt
	@$(BIN)/python .ci/install.py tests/requirements.txt
	@touch $@

$(BIN)/python:
	@for python in $(PYTHON); do \
	  if $$python -c '$(FITS)' 2>/dev/null; then \
	    echo "making $(VENV) with $$($$python --version)"; \
	    exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "SkinClinic needs Python 3.11, 3.12, 3.13 or 3.14, whole (with venv, sqlite3 and ssl), but found none as" >&2; \
	echo "$(PYTHON). Install one (on Debian and Ubuntu: apt install python3 python3-venv)" >&2; \
	echo "or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; \
	exit 1

resolve: $(BIN)/python ## can the pinned packages be installed with each of these Pythons? asks the package index
	@$(BIN)/python .ci/resolve.py

audit: $(BIN)/python ## are the locked packages known to have faults? asks the advisory database; not offline
	@$(BIN)/python .ci/audit.py

clean: ## remove the environment (photos and database in ./var stay)
	rm -rf $(VENV)
