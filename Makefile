# Everything that is done with this project. Each target does its own set-up, in environments of its own.
PYTHON ?= python3
ENV := .venv
BIN := $(ENV)/bin
SOURCES := pyproject.toml CMakeLists.txt $(shell find engine src -type f -not -path '*/__pycache__/*')
BENCHMARKS := $(filter-out benchmarks/measure.py,$(wildcard benchmarks/*.py))
PIP := -m pip install --quiet --disable-pip-version-check

help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 13

# The engine is compiled once, for every environment. WERROR=ON: its warnings are errors.
WERROR ?= OFF
WHEEL = $(firstword $(wildcard build/wheel/deltaprop-*.whl))
build/wheel/built: $(SOURCES)
	test -d $(ENV) || $(PYTHON) -m venv $(ENV)
	rm -rf build/wheel
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/wheel . \
	  -C build-dir=build/engine -C cmake.define.DELTAPROP_WERROR=$(WERROR)
	touch $@

$(ENV)/installed: build/wheel/built
	test -d $(ENV) || $(PYTHON) -m venv $(ENV)
	$(BIN)/python $(PIP) --force-reinstall --no-deps $(WHEEL) && $(BIN)/python $(PIP) '$(WHEEL)[all,dev]'
	touch $@

run: $(ENV)/installed  ## train on the breast cancer example and evaluate on rows held apart
	$(BIN)/deltaprop fit examples/breast_cancer_train.csv --target diagnosis --out build/breast_cancer.deltaprop
	$(BIN)/deltaprop evaluate build/breast_cancer.deltaprop examples/breast_cancer_test.csv

test: $(ENV)/installed  ## all tests that need Python alone
	$(BIN)/python -m pytest -n auto tests --pyargs deltaprop

lint: $(ENV)/installed  ## style, layers, and symbols of the engine
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(shell find engine -name '*.?pp')
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/check_symbols.py build/engine

types: $(ENV)/installed  ## mypy strict, and the engine's stub against the engine
	$(BIN)/mypy
	$(BIN)/python -m nanobind.stubgen -q -m deltaprop._engine -o build/_engine.pyi
	diff src/deltaprop/_engine.pyi build/_engine.pyi

sanitize: $(ENV)/installed  ## the engine's own test program and the unit tests under ASan and UBSan
	$(BIN)/cmake -S . -B build/sanitize -DDELTAPROP_SANITIZE=ON -DSKBUILD=ON -DSKBUILD_PROJECT_VERSION=0 \
	  -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python > build/sanitize.log
	$(BIN)/cmake --build build/sanitize --parallel
	build/sanitize/engine_test
	rm -rf build/sanitize/site && mkdir build/sanitize/site
	cp -r src/deltaprop build/sanitize/_engine*.so build/sanitize/site && mv build/sanitize/site/_engine*.so build/sanitize/site/deltaprop
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libstdc++.so)" PYTHONPATH=build/sanitize/site \
	  ASAN_OPTIONS=detect_leaks=0 $(BIN)/python -m pytest -n auto tests/unit tests/golden tests/properties

conformance: build/wheel/built  ## against PyTorch, in an environment of its own
	test -d $(ENV)-conformance || $(PYTHON) -m venv $(ENV)-conformance
	$(ENV)-conformance/bin/python $(PIP) --force-reinstall --no-deps $(WHEEL)
	$(ENV)-conformance/bin/python $(PIP) -r tests/conformance/requirements.txt '$(WHEEL)[derive]'
	$(ENV)-conformance/bin/python -m pytest tests/conformance

bench: build/wheel/built  ## the benchmarks, with the peers they compare, in an environment of its own
	test -d $(ENV)-bench || $(PYTHON) -m venv $(ENV)-bench
	$(ENV)-bench/bin/python $(PIP) --force-reinstall --no-deps $(WHEEL)
	$(ENV)-bench/bin/python $(PIP) -r benchmarks/requirements.txt '$(WHEEL)[all]'
	missed=0; for script in $(BENCHMARKS); do echo "== $$script"; $(ENV)-bench/bin/python $$script || missed=1; done; exit $$missed

compare: pyproject.toml  ## epochs of this tree beside those of another COMMIT
	test -d $(ENV)-bench || $(PYTHON) -m venv $(ENV)-bench
	$(ENV)-bench/bin/python $(PIP) numpy
	$(ENV)-bench/bin/python benchmarks/side_by_side/commits.py $(COMMIT)

docs: $(ENV)/installed  ## the reference, as HTML in build/docs
	$(BIN)/python tools/make_docs.py build/docs

.PHONY: help run test lint types sanitize conformance bench compare docs
