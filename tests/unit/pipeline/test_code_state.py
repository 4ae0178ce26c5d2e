"""The code behind components as modules and versions of packages."""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys

import pytest

from pipeline.dag import code_state as states
from pipeline.dag import dag
from pipeline.dag.code_hash import code_closure, imported_packages
from pipeline.dag.code_state import CodeState, code_state
from pipeline.tasks.loading import JOBS

NOT_COMPUTING = {"google", "google_crc32c", "psutil", "pydantic", "pydantic_core", "rich", "tensorboard"} | {
    "tensorflow_metadata",
    "typing_extensions",
    "zlib_ng",
    "zstandard",
}
"""Packages that configure, check, describe or compress; none changes a result."""

CORPORA = {
    "classifier": {"corpus": {"format": "csv", "path": "x", "label": "y"}},
    "tagger": {"corpus": {"format": "conll", "path": "x"}, "transform": {"tokenizer": "whitespace"}},
    "word2vec": {"corpus": {"format": "csv", "path": "x"}},
}


def test_a_state_has_the_digests_of_modules_and_the_installed_versions():
    state = code_state("components.linear_baseline.executor")
    sources = code_closure("components.linear_baseline.executor")
    assert state.modules == {name: hashlib.sha256(source).hexdigest()[:16] for name, source in sources.items()}
    assert state.packages["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert state.packages["tensorflow"] == importlib.metadata.version("tensorflow")
    assert "python-crfsuite" not in state.packages
    assert "python-crfsuite" in code_state("trainer.tagger.training").packages


@pytest.mark.parametrize("part", ["modules", "packages"])
def test_the_digest_is_of_names_modules_and_versions(part):
    state = CodeState({"m": "1"}, {"p": "1"})
    assert state.digest == CodeState({"m": "1"}, {"p": "1"}).digest
    for other in ({}, {"m": "2"}, {"p": "2"}, {"m": "1", "p": "1"}):
        assert state._replace(**{part: other}).digest != state.digest


def test_every_imported_package_is_known_to_compute_or_not():
    used = set()
    for task, sections in CORPORA.items():
        job = JOBS[task].model_validate({"name": "a", "task": task, **sections})
        for modules in dag.code_modules(job).values():
            used |= imported_packages(code_closure(*modules))
    ours = {"pipeline", "components", "trainer", "schema"}
    always = {name.replace("-", "_") for name in states._ALWAYS}
    assert used - ours - sys.stdlib_module_names - NOT_COMPUTING - always == used & states._IF_IMPORTED.keys()
