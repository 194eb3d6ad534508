PYTHON ?= python3.11
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test install install-test lint clean

demo: install ## install, migrate, seed and run everything on http://127.0.0.1:$(PORT)
	$(BIN)/python manage.py demo

test: install-test lint ## lint, migrations check, every test; again on PostgreSQL and Redis where they are
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m pytest
	$(BIN)/python -m tests.servers $(BIN)/python -m pytest tests/skinclinic tests/archive tests/classifier tests/reader_study tests/faults

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

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
