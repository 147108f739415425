# make train: set up .venv and train the main config. make test: set up and run the tests. make check: the CI checks.
PYTHON ?= python3
BIN := .venv/bin
# Two processes; each file of tests runs in one of them, in the order of the folders, whose last files are short.
# PARALLEL= runs the tests one after the other.
PARALLEL ?= -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: train test test-slow test-objects check check-oldest bench torture smoke generate clean
.DELETE_ON_ERROR:

train: .venv/.installed
	$(BIN)/dltrain fit configs/cnn_mnist.yaml

test: .venv/.installed-dev
	$(BIN)/pytest -m "not slow" $(PARALLEL)

test-slow: .venv/.installed-dev
	$(BIN)/pytest -m slow

# Builds and trains every object of the catalogue with many drawn arguments: about an hour.
test-objects: .venv/.installed-dev
	$(BIN)/pytest -m slow tests/engine/test_every_object.py

check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not slow" $(PARALLEL)

# The same tests with the oldest versions of the dependencies that pyproject.toml allows, in an environment of its own.
check-oldest: .venv-oldest/.installed
	.venv-oldest/bin/pytest -m "not slow" $(PARALLEL)

# About two hours on an idle machine; writes benchmarks/results.md. PYTORCH=… names a Python that has torch installed,
# ROUNDS=3 measures less often; ONLY=mlp,cnn and DIVIDE=10 (benchmarks/training_speed.py) are for trials.
bench: .venv/.installed-bench
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python benchmarks/check_speed.py
	$(BIN)/python benchmarks/reliability_cost.py

# Each of ROUNDS=… rounds kills a training, resumes it, and compares SHA-256 with an undisturbed one; then the same number
# of rounds opens runs, configs and repositories of strangers.
torture: .venv/.installed
	$(BIN)/python scripts/torture.py --rounds $(or $(ROUNDS),5)
	$(BIN)/python scripts/torture_strangers.py --rounds $(or $(ROUNDS),5)

smoke: .venv/.installed-dev
	$(BIN)/python scripts/write_addition.py
	$(BIN)/python scripts/write_digits.py
	for config in configs/*.yaml; do $(BIN)/dltrain fit $$config --smoke || exit 1; done

# All generated files: the catalogue (from the installed Keras), the JSON Schema, the tables of docs/config.md, the messages
# of tests/broken. Read the diff before you commit it.
generate: .venv/.installed-dev
	$(BIN)/python scripts/make_catalogue.py
	$(BIN)/dltrain schema > schema/dltrain.schema.json.new || { rm -f schema/dltrain.schema.json.new; exit 1; }
	mv schema/dltrain.schema.json.new schema/dltrain.schema.json
	$(BIN)/python scripts/make_docs.py
	$(BIN)/python scripts/write_messages.py

clean:
	rm -rf .venv .venv-oldest build dist .mypy_cache .pytest_cache .ruff_cache

.venv-oldest/.installed: pyproject.toml requirements/oldest.txt
	rm -rf .venv-oldest
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/pip install --quiet --editable '.[dev]' --constraint requirements/oldest.txt
	touch $@

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dltrain needs Python 3.11 or later: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable .
	touch $@

# torch is a large download: installed only for the benchmarks, and only if PYTORCH names no other Python.
.venv/.installed-bench: .venv/.installed-dev
	$(BIN)/pip install --quiet pandas $(if $(PYTORCH),,torch)
	touch $@

.venv/.installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@ .venv/.installed
