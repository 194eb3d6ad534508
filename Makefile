PYTHON ?= python3.11
VENV ?= .venv
BIN = $(VENV)/bin
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest
TOGETHER = -n auto --dist loadgroup --no-loadscope-reorder

.PHONY: demo test check install install-test lint clean

demo: install ## install, migrate, seed and run everything on http://127.0.0.1:$(PORT)
	$(BIN)/python manage.py demo

test: install-test lint ## lint, migrations check, every test that needs no more than Python: before each change
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PYTEST) $(TOGETHER) -m "not check"

check: install-test ## all other tests: servers, a browser, worker processes, R; the database's again on PostgreSQL
	$(PYTEST) $(TOGETHER) -m "check and not benchmarks"
	$(BIN)/python -m tests.servers $(PYTEST) $(TOGETHER) -m "database and not (browser or benchmarks or nginx)"
	$(PYTEST) -m benchmarks

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

install: $(VENV)/installed

install-test: $(VENV)/installed-test

$(VENV)/installed: requirements.txt docker/requirements-web.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-test: $(VENV)/installed tests/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

clean: ## remove the environment (photos and database in ./var stay)
	rm -rf $(VENV)
