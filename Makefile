# The two commands of the README, and what they stand on. Needs Python 3.11 or newer, and no more.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

CASES ?= 20000
RESULTS := benchmarks/results

# Two things at once, where neither needs the other: building the package and fetching what it needs,
# checking types and testing.
MAKEFLAGS += --jobs=2

.PHONY: demo test style types units format bench differential faults fuzz sanitize functions clean

demo: $(VENV)/.installed
	$(BIN)/everystep demo

test: style types units

style: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: style
	$(BIN)/mypy src tests benchmarks

units: style
	$(BIN)/pytest --quiet --numprocesses=auto --dist=worksteal

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks --json $(RESULTS)/all.json --plot $(RESULTS) --targets

differential: $(VENV)/.installed-test
	$(BIN)/python -m tests.differential --cases $(CASES)

# Disks, clocks, data and processes fail on purpose, in all ways that we know; a table says what was lost.
faults: $(VENV)/.installed-test
	$(BIN)/python -m tests.faults

# Files of every format, damaged at random, guided by what has run: so many minutes for each format.
fuzz: $(VENV)/.installed-test $(VENV)/.installed-fuzz
	$(BIN)/python -m tests.hostile.fuzz --minutes $(MINUTES)

# The native code without Python, on every path that the machine has, under sanitizers.
sanitize: build/address,undefined/tested build/thread/tested

build/%/tested: FORCE
	cmake -S tests/native -B build/$* -DEVERYSTEP_SANITIZE=$*
	cmake --build build/$* --parallel
	ctest --test-dir build/$* --output-on-failure

# The bounds of the activations over all float32 values; some minutes.
functions:
	cmake -S tests/native -B build/plain
	cmake --build build/plain --parallel --target functions_test
	build/plain/functions_test all

FORCE:

clean:
	rm -rf $(VENV) build dist everystep-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .jax_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "everystep needs Python 3.11 or newer; name one with: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/.built $(VENV)/.needs
	touch $@

$(VENV)/.installed-%: $(VENV)/.built $(VENV)/.needs-%
	touch $@

$(VENV)/.built: $(VENV)/bin/python pyproject.toml CMakeLists.txt $(wildcard src/native/*)
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

# What the package needs, and an extra after it: two pips must not write the same package at once.
$(VENV)/.needs: $(VENV)/bin/python pyproject.toml
	$(call install,project['dependencies'])

.PRECIOUS: $(VENV)/.needs-%
$(VENV)/.needs-%: $(VENV)/.needs
	$(call install,project['optional-dependencies']['$*'])

define install
	$(BIN)/python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
	  print(*$(1), sep='\n')" > $@.txt
	$(BIN)/python -m pip install --quiet --requirement $@.txt
	touch $@
endef
