# Every target makes its own environment in .venv when there is none: python3 is all it needs, and no root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run serve test check bench format clean

run: $(READY)  ## the main job: the whole walk for the counties of the default scenario
	@$(BIN)/gridcheck run; code=$$?; test $$code -le 1 || exit $$code  # 1: finished, and limits are broken somewhere

serve: $(READY)  ## the dashboards of the last run
	$(BIN)/gridcheck serve

# As in the workers of a run: small matrices, and no waiting of threads for each other.
test bench: export OPENBLAS_NUM_THREADS ?= 1
test: $(READY)  ## every test, the doctests and the notebooks
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY)  ## format, lint, types, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## speed as ratios measured in one run
	$(BIN)/python -m pytest tests/performance -q -s -p no:xdist --timing

format: $(READY)  ## rewrite the sources in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## take away the environment and everything that was written beside the sources
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache htmlcov .coverage out

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "gridcheck needs Python 3.11 or newer; found $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "python3 has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dash,dev]"
	@touch $(READY)
