"""One element for the workers of an engine: do they have this Python, this code, and the files of this root?"""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import NamedTuple

from pipeline.dag.code_hash import source_hash

_MODULES = (
    "components.corpus_example_gen.executor",
    "components.corpus_validator.executor",
    "components.evaluator.executor",
    "components.sequence_transform.executor",
    "components.stock.executor",
)
"""The modules whose functions run on workers."""

_MARK = "seqloom-worker"
_REPORT = re.compile(rf"{_MARK} python=(\S+) code=(\S+) root=(yes|no);")


class WorkerFacts(NamedTuple):
    """What a worker has: the version of its Python, a digest of seqloom's code, and whether it sees a file."""

    python: str
    code: str
    sees_root: bool


def this_process(file: str) -> WorkerFacts:
    """Returns what this process has; `file` is a path below the root."""
    python = ".".join(platform.python_version_tuple()[:2])
    return WorkerFacts(python, source_hash(*_MODULES), Path(file).is_file())


def require_same(expected: WorkerFacts, file: str) -> None:
    """Runs on a worker, and compares.

    Raises:
        RuntimeError: If the worker differs; `reported` finds the worker in its text, which engines pass on.
    """
    found = this_process(file)
    if found != expected:
        root = "yes" if found.sees_root else "no"
        raise RuntimeError(f"{_MARK} python={found.python} code={found.code} root={root};")


def reported(text: str) -> WorkerFacts | None:
    """Returns the worker that an error's text reports, or None."""
    match = _REPORT.search(text)
    return WorkerFacts(match[1], match[2], match[3] == "yes") if match else None
