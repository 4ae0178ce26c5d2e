"""Converts a corpus to transformed examples with our pipeline and stock TFX's, each in its own process."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import os
import sqlite3
from pathlib import Path

from bench.datasets.data_corpus import Corpus
from bench.measuring.data_process import run_python
from trainer.errors import JobError

_GENERATE, _TRANSFORM = ("CorpusExampleGen", "CsvExampleGen"), ("SequenceTransform", "Transform")
_EXECUTIONS = """
    select substr(node.name, instr(node.name, '.') + 1),
           execution.last_update_time_since_epoch - execution.create_time_since_epoch
    from Execution execution
    join Association of_node on of_node.execution_id = execution.id
    join Context node on node.id = of_node.context_id and node.type_id = (select id from Type where name = 'node')
"""


@dataclasses.dataclass(frozen=True)
class Conversion:
    """A finished conversion: its seconds by component and in total, and the GZIP TFRecord files it wrote."""

    documents: int
    generate: float
    transform: float
    wall: float
    peak_bytes: int
    files: tuple[Path, ...]

    @property
    def both(self) -> float:
        """Seconds of both executions."""
        return self.generate + self.transform

    @property
    def gzip_bytes(self) -> int:
        """Size of the files in bytes."""
        return sum(path.stat().st_size for path in self.files)

    @property
    def plain_bytes(self) -> int:
        """Size of the uncompressed files in bytes, including TFRecord's framing."""
        size = 0
        for path in self.files:
            with gzip.open(path) as file:
                size += file.seek(0, os.SEEK_END)
        return size


def convert(side: str, corpus: Corpus, root: Path) -> Conversion:
    """Converts a corpus in its own process, into a new folder.

    Raises:
        JobError: If it fails or writes no transformed examples.
    """
    root.mkdir()
    done = run_python(["-m", "bench.datasets.data_pipelines", side, str(corpus.path), str(root)], root / "process.log")
    seconds = component_seconds(root / "metadata.sqlite")
    generate, transform = (sum(seconds[name] for name in names if name in seconds) for names in (_GENERATE, _TRANSFORM))
    files = tuple(sorted(root.glob("artifacts/*/transformed_examples/*/Split-*/*.gz")))
    if not (generate and transform and files):
        raise JobError(
            "The conversion wrote nothing to measure.",
            where=str(root),
            found=f"executions of {', '.join(seconds)}; {len(files)} files of transformed examples",
        )
    return Conversion(corpus.documents, generate, transform, done.seconds, done.peak_bytes, files)


def component_seconds(metadata: Path) -> dict[str, float]:
    """Returns the seconds of each component of a single run.

    TFX is not imported, because its memory would count as that of the measured processes.
    """
    with contextlib.closing(sqlite3.connect(metadata)) as database:
        return {name: milliseconds / 1000 for name, milliseconds in database.execute(_EXECUTIONS)}
