# The commands of the project. `make run` and `make test` do their own set-up; see README.md.
PY := .venv/bin/python
COMPILE := $(PY) -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
export PYTHON
export PYTHONUNBUFFERED := 1

.PHONY: help venv setup run test chaos load upgrade-trial lint format lock backup restore stop clean
.DEFAULT_GOAL := help

help:
	@echo "make run     set up if need be and serve on http://127.0.0.1:8000/ (PORT=..., HOST=...)"
	@echo "make test    set up if need be and run every check and test (ARGS=... go to pytest)"
	@echo "make setup   set up alone: .venv, private database and broker, migrations, catalogue"
	@echo "make lint    ruff and mypy"
	@echo "make chaos   SEEDS (30) from FIRST_SEED (1) of EDITS (500) from all sides, with kills (docs/chaos.md)"
	@echo "make load    MINUTES (20) of mixed reads and edits against a service of its own"
	@echo "make upgrade-trial   replace version FROM (v0.1.0) by this one while it is in use"
	@echo "make format  let ruff format and mend"
	@echo "make lock    lock requirements*.txt anew from requirements*.in"
	@echo "make backup  the database into FILE=..., its row hashes beside it"
	@echo "make restore a backup FILE=... into an empty database (ARGS=--replace: exchange a full one, keep it)"
	@echo "make stop    stop a running service and the private servers"
	@echo "make clean   stop, then remove .venv, .local (the data) and caches"

venv:
	@sh config/setup.sh

setup: venv
	@ATLAS_ENV=$${ATLAS_ENV:-development} $(PY) manage.py prepare

run: venv
	@ATLAS_ENV=$${ATLAS_ENV:-development} ATLAS_UNDER_MAKE=1 exec $(PY) -m config.supervisor

test: venv
	@ATLAS_ENV=$${ATLAS_ENV:-development} exec $(PY) -m config.verification $(ARGS)

lint: venv
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy

chaos: venv
	@exec $(PY) -m tests.faults.chaos --seeds $${SEEDS:-30} --first-seed $${FIRST_SEED:-1} --edits $${EDITS:-500} $(ARGS)

load: venv
	@ATLAS_ENV=$${ATLAS_ENV:-development} $(PY) manage.py benchmark load --minutes $${MINUTES:-20} $(ARGS)

upgrade-trial: venv
	@ATLAS_ENV=$${ATLAS_ENV:-development} $(PY) manage.py benchmark upgrade --from $${FROM:-v0.1.0} $(ARGS)

format: venv
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

lock: venv
	@$(COMPILE) --output-file requirements.txt requirements.in
	@$(COMPILE) --output-file requirements-dev.txt requirements-dev.in

backup: venv
	@ATLAS_ENV=$${ATLAS_ENV:-development} $(PY) manage.py backup "$(FILE)"

restore: venv
	@ATLAS_ENV=$${ATLAS_ENV:-development} $(PY) manage.py restore "$(FILE)" $(ARGS)

stop:
	@if [ -x $(PY) ]; then $(PY) -m config.supervisor stop; fi

clean: stop
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
