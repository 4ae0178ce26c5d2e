"""Compares the path from raw text to batches with peers; prints Markdown tables, ratios first.

Run `python -m bench.datasets.data`, or `make bench-data`. Both sides are measured in pairs, with the first side
alternating; every measurement runs in its own process.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bench.datasets import data_convert, data_corpus
from bench.datasets.data_convert import Conversion
from bench.datasets.data_corpus import Corpus
from bench.measuring.data_process import run_python
from bench.measuring.data_tables import Limit, Row, pair_row, ratio_table, table
from trainer.errors import JobError

BATCH_TOKENS = 16_384
OURS, STOCK, USUAL = "seqloom", "stock TFX", "tf.data"

_STEPS, _PEAK = "ExampleGen and Transform", "peak memory of the process, GB"
_SPEEDUP = Limit(3)
_WASTE = Limit(0.08, least=False)
_PLAIN, _GZIP = Limit(1.4, least=False), Limit(0.36, least=False)
_GROWTH, _LINEAR = Limit(1.1, least=False), Limit(0.8)

_Measured = TypeVar("_Measured")


def alternate(sides: Mapping[str, Callable[[int], _Measured]], repeats: int) -> dict[str, list[_Measured]]:
    """Measures two sides in pairs, so that slow phases of the machine affect both; they get the number of the pair."""
    measured: dict[str, list[_Measured]] = {name: [] for name in sides}
    for pair in range(repeats):
        for name in list(sides)[:: 1 if pair % 2 == 0 else -1]:
            print(f"{name}, {pair + 1} of {repeats} ...", file=sys.stderr)
            measured[name].append(sides[name](pair))
    return measured


class Bench:
    """The benchmarks on one corpus; each conversion runs once and is shared by the benchmarks that need it."""

    def __init__(self, folder: Path, documents: int, copies: int, repeats: int) -> None:
        self._folder, self._documents, self._copies, self._repeats = folder, documents, copies, repeats

    def convert(self) -> str:
        """Measures the conversion of raw CSV to transformed examples on disk."""
        pairs = self._pairs
        rows = [
            pair_row(f"{_STEPS}, documents/s", pairs, lambda done: done.documents / done.both, limit=_SPEEDUP),
            pair_row("ExampleGen, documents/s", pairs, lambda done: done.documents / done.generate),
            pair_row("Transform, documents/s", pairs, lambda done: done.documents / done.transform),
            pair_row("whole process, documents/s", pairs, lambda done: done.documents / done.wall),
            pair_row(_PEAK, pairs, lambda done: done.peak_bytes / 1e9, digits=2),
        ]
        counts = {side: self._read(done[0].files, "count") for side, done in pairs.items()}
        if counts[OURS] != counts[STOCK]:
            raise JobError("The two sides wrote different documents.", where="convert", found=str(counts))
        written = [
            [side, *(f"{count:,}" for count in counts[side].values()), f"{done[0].gzip_bytes / 1e6:.1f}"]
            for side, done in pairs.items()
        ]
        header = ["written", "documents", "tokens", "MB, gzip"]
        return f"{ratio_table(rows, OURS, STOCK)}\n\n{table([header, *written])}"

    def read(self) -> str:
        """Measures reading transformed examples as padded batches."""
        sides = {name: functools.partial(self._one_pass, name) for name in (OURS, USUAL)}
        passes = alternate(sides, self._repeats)
        seen = {(done["documents"], done["tokens"]) for side in passes.values() for done in side}
        if len(seen) != 1:
            raise JobError("The readers read different documents.", where="read", found=str(sorted(seen)))
        wastes = {name: [1 - done["tokens"] / done["padded"] for done in passes[name]] for name in (OURS, USUAL)}
        lines = [["padding", "share of the batches", "limit"]]
        for name, limit in ((OURS, _WASTE), (USUAL, None)):
            waste = sum(wastes[name]) / len(wastes[name])
            lines.append([name, f"{waste:.3f}", limit.describe(waste) if limit else "-"])
        name = f"documents/s, {BATCH_TOKENS:,} tokens per batch"
        rate = pair_row(name, passes, lambda done: done["documents"] / done["seconds"], limit=_SPEEDUP)
        return f"{ratio_table([rate], OURS, USUAL)}\n\n{table(lines)}"

    def size(self) -> str:
        """Measures bytes of transformed examples per byte of raw text."""
        raw = [self._corpus.text_bytes / 1e6]
        rows = [
            Row("SequenceExample, plain, MB", [self._ours.plain_bytes / 1e6], raw, 1, _PLAIN),
            Row("SequenceExample, gzip, MB", [self._ours.gzip_bytes / 1e6], raw, 1, _GZIP),
        ]
        return ratio_table(rows, "ids on disk", "raw text")

    def memory(self) -> str:
        """Measures peak memory and speed on a corpus many times as large."""
        large = self._write("large", self._copies)
        corpora = {f"{corpus.documents:,} documents": corpus for corpus in (large, self._corpus)}
        sides = {name: functools.partial(self._once, corpus) for name, corpus in corpora.items()}
        done = alternate(sides, self._repeats)
        rows = [
            pair_row(_PEAK, done, lambda run: run.peak_bytes / 1e9, digits=2, limit=_GROWTH),
            pair_row(f"{_STEPS}, documents/s", done, lambda run: run.documents / run.both, limit=_LINEAR),
        ]
        note = f"The larger corpus repeats the smaller {self._copies} times; each copy has its own ids and last word."
        return f"{note}\n\n{ratio_table(rows, *corpora)}"

    @functools.cached_property
    def _corpus(self) -> Corpus:
        return self._write("corpus", 1)

    @functools.cached_property
    def _pairs(self) -> dict[str, list[Conversion]]:
        def convert(side: str, pair: int) -> Conversion:
            return data_convert.convert(side, self._corpus, self._folder / f"{side.replace(' ', '-')}-{pair}")

        return alternate({side: functools.partial(convert, side) for side in (OURS, STOCK)}, self._repeats)

    @functools.cached_property
    def _ours(self) -> Conversion:
        if "_pairs" in vars(self):
            return self._pairs[OURS][0]
        return data_convert.convert(OURS, self._corpus, self._folder / "converted")

    def _write(self, name: str, copies: int) -> Corpus:
        folder = self._folder / name
        folder.mkdir()
        return data_corpus.write(folder / "reviews.csv", self._documents, copies)

    def _once(self, corpus: Corpus, _pair: int) -> Conversion:
        root = self._folder / "measured"
        done = data_convert.convert(OURS, corpus, root)
        shutil.rmtree(root)
        return done

    def _one_pass(self, reader: str, _pair: int) -> dict[str, float]:
        return self._read(self._ours.files, reader, BATCH_TOKENS)

    def _read(self, files: Sequence[Path], reader: str, *limits: int) -> dict[str, float]:
        command = ["-m", "bench.datasets.data_read", reader, *map(str, limits), *map(str, files)]
        answer: dict[str, float] = json.loads(run_python(command, self._folder / "read.log").output)
        return answer


BENCHMARKS: Mapping[str, Callable[[Bench], str]] = {
    "convert": Bench.convert,
    "read": Bench.read,
    "size": Bench.size,
    "memory": Bench.memory,
}
"""The benchmarks by name."""


def between(least: int, most: int | None = None) -> Callable[[str], int]:
    """Makes a type of argparse for whole numbers."""

    def whole_number(text: str) -> int:
        number = int(text)
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f"expected {least}{f' to {most}' if most else ' or more'}, found {text}")
        return number

    return whole_number


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.datasets.data", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--documents", type=between(1, data_corpus.REVIEWS), default=data_corpus.REVIEWS, help="reviews in the corpus"
    )
    parser.add_argument("--copies", type=between(2), default=10, help="copies that make the large corpus")
    parser.add_argument("--repeats", type=between(1), default=3, help="measured pairs")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="run only this one; repeatable")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-data-") as name:
        bench = Bench(Path(name), arguments.documents, arguments.copies, arguments.repeats)
        try:
            print(f"{arguments.documents:,} reviews, medians of {arguments.repeats} alternating pairs\n")
            for chosen in arguments.only or BENCHMARKS:
                print(f"### {chosen}\n\n{BENCHMARKS[chosen](bench)}\n", flush=True)
        except JobError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
