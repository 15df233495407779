# make demo: set everything up and run a campaign that needs no download.  make test: set everything up and run the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check format bench docs fuzz audit-dependencies clean

demo: $(VENV)/installed
	$(BIN)/probatum run examples/rocking_curve.toml

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# NAMES="heights metabolism" runs these alone; QUICK=--quick the short forms. Peers: pip install -e '.[bench]'.
bench: $(VENV)/installed-test
	$(BIN)/python benchmarks/page.py $(NAMES) $(QUICK)

docs: $(VENV)/installed-test
	$(BIN)/python docs/site/build_site.py

# Every reader of files for so many seconds, with damage that was never tried before.
fuzz: $(VENV)/installed-test
	FUZZ_SECONDS=$(or $(SECONDS),300) $(BIN)/python -m pytest tests/fuzz --timeout=0

audit-dependencies: $(VENV)/installed-test
	$(PIP) pip-audit
	$(BIN)/pip-audit --skip-editable

clean:
	rm -rf $(VENV) examples/*.probatum

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/installed-test: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable ".[test]"
	touch $@ $(VENV)/installed
