# Two commands for a newcomer: `make run` and `make test`. `make help` lists all.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-all golden chaos bench agents picture format clean lock

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(VENV)/installed ## Try it: a pretend Slack, a pretend CircleCI and the bot (ARGS="--policy FILE" tries a policy, ARGS=--once leaves after the story)
	@$(BIN)/python -m playground $(ARGS)

test: $(VENV)/installed-dev ## Format, lint, types, floors, tests, coverage, within 150 s on two cores
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m tests $(PYTEST_ARGS)

test-all: $(VENV)/installed-dev ## The same with what takes longer: browsers, kills, upgrades, every button (CI runs this)
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m tests --all $(PYTEST_ARGS)

golden: $(VENV)/installed-dev ## Record anew what people read, in tests/golden/messages, to look at it as a diff
	@$(BIN)/python -m pytest -q tests/golden --golden
	@git status --short -- tests/golden

chaos: $(VENV)/installed-dev ## Deploy under 200 kill -9 (SEED=, KILLS=), for a while (MINUTES=), or under random policies (POLICY=1)
	@$(BIN)/python -m $(if $(POLICY),tests.oracle.play,tests.faults.chaos) $(if $(SEED),--seed $(SEED)) $(if $(KILLS),--kills $(KILLS)) $(if $(MINUTES),--minutes $(MINUTES))

bench: $(VENV)/installed-dev ## Measure speed and memory, as ratios where machines differ (FIGURES="acks verdicts", SEED=)
	@$(BIN)/python -m tests.bench $(if $(SEED),--seed $(SEED)) $(FIGURES)

agents: $(VENV)/installed-dev ## Let real clients of agents call a bot at work, without a model or a login (needs npm)
	@$(BIN)/python -m tests.agents.clients

picture: $(VENV)/installed-dev ## Make the README's pictures, and contact-sheet.png with every message (needs Chromium)
	@$(BIN)/python -m tests.browser.picture

format: $(VENV)/installed-dev ## Put every file into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(VENV)/installed-dev ## Write the pinned requirements anew from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.txt
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements-dev.txt

clean: ## Remove what the other targets made
	@rm -rf contact-sheet.png $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Install it, or: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing. On Debian: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing the pinned dependencies, once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing the pinned tools, once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/installed
