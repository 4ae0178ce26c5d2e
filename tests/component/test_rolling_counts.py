"""The analysis of rolling windows, which counts only new spans, against a full analysis of the same windows."""

from __future__ import annotations

import itertools
import json
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.corpus_example_gen.settings import SplitSettings

ASSETS = ("vocabulary.txt", "counts.txt", "labels.txt")


class Windows:
    """Runs of a corpus with spans in a folder, and of copies that analyse all spans."""

    def __init__(self, folder: Path, run_transform: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
        self.folder, self._run, self._log = folder, run_transform, caplog
        self._copies = itertools.count()

    def write(self, span: int, seed: int | None = None, shared: bool = True) -> None:
        draw = random.Random(span if seed is None else seed)
        rows = [
            (f"{' '.join(draw.choices([f'w{n}' for n in range(60)], k=6))} s{span}", "ab"[n % 2]) for n in range(80)
        ]
        rows += [(f"the same text {n}", "c") for n in range(10)] * shared
        path = self.folder / f"{span}.jsonl"
        path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))

    def run(self, span: int, **settings: Any) -> str:
        """Runs a window of three spans; returns how many were counted, after a comparison with a full analysis."""
        transform = {"min_count": 2, **settings}
        corpus = {"format": "jsonl", "path": "{SPAN}.jsonl", "label": "label", "rolling": 3, "span": span}
        options = {"splits": SplitSettings({"train": 3, "eval": 1})}
        with self._log.at_level(logging.INFO, "seqloom"):
            self._log.clear()
            self._run(self.folder, {**corpus, "dedupe": True}, transform, counts=str(self.folder / "counts"), **options)
            said = [record.getMessage() for record in self._log.records if "spans; the counts" in record.getMessage()]
        full = self.folder / f"full-{next(self._copies)}"
        full.mkdir()
        for path in self.folder.glob("*.jsonl"):
            (full / path.name).write_bytes(path.read_bytes())
        self._run(full, {**corpus, "dedupe": True}, transform, **options)
        assert not (full / "counts").exists()
        for name in ASSETS:
            assert read(self.folder, name) == read(full, name)
        return said[0].partition(" spans")[0].removeprefix("Counted ") if said else ""


def read(folder: Path, name: str) -> bytes:
    graphs = folder.glob("root/SequenceTransform/transform_graph/*")
    return (max(graphs, key=lambda path: int(path.name)) / name).read_bytes()


def test_a_window_counts_its_new_spans_only_and_has_the_vocabulary_of_a_full_analysis(
    tmp_path: Path, run_transform: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    windows = Windows(tmp_path, run_transform, caplog)
    for span in (1, 2, 3, 4):
        windows.write(span)
    assert windows.run(3) == "3 of 3"
    # Span 1 had the one copy of a repeated text, which another span has from now on.
    assert windows.run(4) == "2 of 3"
    windows.write(5, shared=False)
    assert windows.run(5) == "2 of 3"
    windows.write(6, shared=False)
    assert windows.run(6) == "2 of 3"
    windows.write(7, shared=False)
    assert windows.run(7) == "1 of 3"
    windows.write(6, seed=99, shared=False)
    assert windows.run(7) == "1 of 3"
    (tmp_path / "6.jsonl").unlink()
    windows.write(4, shared=False)
    assert windows.run(7) == "1 of 3"
    assert windows.run(7, lowercase=False) == "3 of 3"
    assert len(list((tmp_path / "counts").iterdir())) == 3
    windows.write(8, shared=False)
    for damaged in (tmp_path / "counts").iterdir():
        damaged.write_bytes(damaged.read_bytes().replace(b'"w1"', b'"w9999"'))
    assert windows.run(8, lowercase=False) == "3 of 3"
    assert windows.run(7, tokenizer="whitespace", phrases={"min_count": 1, "threshold": 0.01}) == ""
