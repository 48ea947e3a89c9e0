# The same commands for people and for CI. All run in .venv, which `make setup` builds from requirements.lock.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
LOCK   := build/lock
ARGS   ?=
# Tests wait for servers half of their time; each worker has servers of its own.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench bench-peers bench-drift soak lock

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## build .venv with what requirements.lock names

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v >= (3, 11) else 1)' || \
	  { echo "setup: Python 3.11 or later is needed; install python3.11 or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setup: building $(VENV) with $$($(PYTHON) --version), a minute or two the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "setup: no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "setup: done"

demo: setup ## replay real inference logs and show them live; ARGS=--once runs to the end
	@$(BIN)/monitor demo $(ARGS)

test: setup ## run all tests, against real servers where they are or can be installed; ARGS go to pytest, WORKERS=0 for one process
	@tests/servers/install.sh
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

check: setup ## formatting, lint and strict types, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict monitor

format: setup ## format, and fix what lint can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## measure; writes build/bench.json
	@tests/servers/install.sh
	@$(BIN)/python -m tests.bench $(ARGS)

bench-peers: setup ## measure the peers beside it, each in an environment of its own
	@tests/servers/install.sh
	@$(BIN)/python -m tests.bench.peers $(ARGS)

bench-drift: setup ## measure drift's false alarms and power, and the peers' beside it; a quarter of an hour
	@$(BIN)/python -m tests.bench.drift $(ARGS)

soak: setup ## the long form of the crash tests, and of the comparison with Alertmanager
	@tests/servers/install.sh
	@$(BIN)/python -m tests.soak $(ARGS)
	@$(BIN)/python -m tests.paging.killing
	@$(BIN)/python -m tests.paging.differential

lock: ## write requirements.lock anew from pyproject.toml
	@rm -rf $(LOCK) && mkdir -p $(LOCK) && $(PYTHON) -m venv $(LOCK)/venv
	@$(PYTHON) -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); \
	  print(*p["project"]["dependencies"], *p["dependency-groups"]["dev"], sep="\n")' > $(LOCK)/wanted.txt
	@$(LOCK)/venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(LOCK)/wanted.txt
	@$(LOCK)/venv/bin/python -m pip freeze --exclude-editable | grep -v '://' > $(LOCK)/requirements.lock
	@mv $(LOCK)/requirements.lock requirements.lock && rm -rf $(LOCK)
	@echo "lock: $$(wc -l < requirements.lock) packages"
