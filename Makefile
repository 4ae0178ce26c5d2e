# `make demo` and `make test` are all that a fresh machine needs: both make the locked environment first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
ROOT ?= runs/sentiment

.PHONY: help env demo test test-fast lint format bench bench-batching bench-data bench-peers bench-tagging bench-vectors lock clean

help: ## print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: ## make the locked environment in .venv, where it is not there yet (PYTHON=... names the interpreter)
	@scripts/setup

demo: env ## train, judge and publish a sentiment model from 33,530 reviews into runs/sentiment
	@.venv/bin/seqloom run configs/sentiment.yaml --root $(ROOT)

test: env ## run all tests
	@$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-fast: env ## run the tests that take seconds
	@$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow"

lint: env ## check style, format and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

format: env ## format the code and mend what ruff can mend
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: bench-batching bench-data bench-peers bench-tagging bench-vectors ## run all benchmarks

bench-batching: env ## train on batches of like lengths and as tutorials make them, on the demo's examples
	@$(PY) -m bench.batching --root $(ROOT)

bench-data: env ## measure conversion, reading, size and memory beside stock TFX and tf.data and print the ratios
	@$(PY) -m bench.data

bench-peers: env ## train the peers on the split of the demo's run and print ours beside them
	@$(PY) -m bench.peers --root $(ROOT)

bench-tagging: env ## run configs/entities.yaml and print its scores beside those of simple peers
	@.venv/bin/seqloom run configs/entities.yaml
	@$(PY) -m bench.tagging

bench-vectors: env ## train word vectors beside gensim and as Keras' tutorials do, print speed, memory and quality
	@$(PY) -m bench.word2vec

lock: ## compile locks/ from pyproject.toml (needs uv; see CONTRIBUTING.md)
	@scripts/lock

clean: ## remove what was built and cached; the environment and runs/ stay
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find bench components pipeline schema tests trainer -name __pycache__ -type d -prune -exec rm -rf {} +
