"""The code behind a component: its modules and the packages that compute, which its cache key holds as one digest."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pipeline.dag.code_hash import code_closure, imported_packages

_ALWAYS = ("apache-beam", "numpy", "tensorflow", "tfx")
"""Distributions behind every component."""

_IF_IMPORTED: Mapping[str, str] = MappingProxyType(
    {
        "faiss": "faiss-cpu",
        "ijson": "ijson",
        "keras": "keras",
        "keras_tuner": "keras-tuner",
        "pyarrow": "pyarrow",
        "pycrfsuite": "python-crfsuite",
        "regex": "regex",
        "scipy": "scipy",
        "sentencepiece": "sentencepiece",
        "sklearn": "scikit-learn",
        "tensorflow_data_validation": "tensorflow-data-validation",
        "tensorflow_model_analysis": "tensorflow-model-analysis",
        "tensorflow_text": "tensorflow-text",
        "tensorflow_transform": "tensorflow-transform",
        "tfx_bsl": "tfx-bsl",
    }
)
"""Packages that change results where a component's code imports them, and their distributions."""


class CodeState(NamedTuple):
    """The code behind a component.

    Attributes:
        modules: A digest of the source by module of this project.
        packages: The version by installed distribution that computes.
    """

    modules: dict[str, str]
    packages: dict[str, str]

    @property
    def digest(self) -> str:
        """A digest of all of it."""
        return _digest(json.dumps([self.modules, self.packages], sort_keys=True).encode())


def code_state(*modules: str) -> CodeState:
    """Returns the code behind modules, with all that they import, directly or indirectly."""
    sources = code_closure(*modules)
    used = imported_packages(sources)
    return CodeState(
        {name: _digest(source) for name, source in sorted(sources.items())},
        _versions([*_ALWAYS, *(distribution for name, distribution in _IF_IMPORTED.items() if name in used)]),
    )


def _versions(distributions: Iterable[str]) -> dict[str, str]:
    found = {name: _version(name) for name in sorted(distributions)}
    return {name: version for name, version in found.items() if version is not None}


@functools.cache
def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:  # An extra that is not installed.
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
