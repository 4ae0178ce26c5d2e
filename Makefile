# `make demo` and `make test` are all that a fresh machine needs: both first create the locked environment.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
ROOT ?= runs/sentiment

.PHONY: help env demo test test-fast lint format bench bench-batching bench-data bench-engines bench-peers bench-rolling bench-small bench-small-tags bench-startup bench-tagging bench-vectors lock clean

help: ## print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: ## create the locked environment in .venv if it is missing or outdated (PYTHON=... names the interpreter)
	@scripts/setup

demo: env ## train, evaluate and publish a sentiment model from 33,530 reviews in runs/sentiment
	@.venv/bin/seqloom run configs/sentiment.yaml --root $(ROOT)

test: env ## run all tests
	@$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-fast: env ## run all tests that are not marked slow
	@$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow"

lint: env ## check style, format and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

format: env ## format the code and apply ruff's fixes
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: bench-batching bench-data bench-peers bench-rolling bench-small bench-small-tags bench-startup bench-tagging bench-vectors bench-engines ## run all benchmarks

bench-batching: env ## compare batches of similar lengths with those of common tutorials, on the demo's examples
	@$(PY) -m bench.batching --root $(ROOT)

bench-data: env ## compare conversion, reading, size and memory with stock TFX and tf.data
	@$(PY) -m bench.datasets.data

bench-engines: env ## compare the throughput of Beam's engines (needs Prism, see docs/beam.md)
	@$(PY) -m bench.engines

bench-peers: env ## train the peers on the splits of the demo's run and compare
	@$(PY) -m bench.peers --root $(ROOT)

bench-rolling: env ## measure the analysis of a rolling window with and without kept counts
	@$(PY) -m bench.rolling

bench-small: env ## train on small corpora with the defaults, and compare with TF-IDF on unseen documents
	@$(PY) -m bench.small_data.small

bench-small-tags: env ## train taggers on small corpora with the defaults, and compare with a linear CRF
	@$(PY) -m bench.small_data.small_tags

bench-startup: env ## measure a small job: a first run, a run from the cache and a prediction
	@$(PY) -m bench.startup

bench-tagging: env ## run configs/entities.yaml and compare its scores with simple peers
	@.venv/bin/seqloom run configs/entities.yaml
	@$(PY) -m bench.tagging

bench-vectors: env ## compare word vectors with gensim and Keras' tutorials: speed, memory, quality
	@$(PY) -m bench.vectors.word2vec

lock: ## compile locks/ from pyproject.toml (needs uv; see CONTRIBUTING.md)
	@scripts/lock

clean: ## remove build outputs and caches; keeps the environment and runs/
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find bench components pipeline schema tests trainer -name __pycache__ -type d -prune -exec rm -rf {} +
