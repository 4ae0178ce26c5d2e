"""Measures how fast Beam's engines make examples of the reviews, from CorpusExampleGen to SequenceTransform.

Run `python -m bench.engines`, or `make bench-engines`. The engines take turns, each run in a new root: local; Prism
with its worker in the process of the run; and a server of Prism with a worker in another process.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.measuring.data_tables import table
from bench.startup import run, write_job
from pipeline.runners.engines.servers import job_server
from trainer.errors import JobError

_HERE = Path(__file__).resolve().parents[1]
_COMPONENTS = ("CorpusExampleGen", "StatisticsGen", "ExampleValidator", "SequenceTransform")


@contextlib.contextmanager
def server_and_worker(prism: str) -> Iterator[list[str]]:
    """Runs a server of Prism and a pool of workers; yields the keys of the section beam that use them."""
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # The pool starts `python`.
    pool = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", "--service_port", str(port)]
    with (
        job_server(["--runner=PrismRunner", f"--prism_location={prism}"]) as (endpoint,),
        subprocess.Popen(
            pool, env={**os.environ, "PATH": path, "PYTHONPATH": str(_HERE)}, stderr=subprocess.DEVNULL
        ) as process,
    ):
        try:
            while process.poll() is None:
                with contextlib.suppress(OSError):
                    socket.create_connection(("localhost", port)).close()
                    break
            yield ["engine=portable", f"endpoint={endpoint.partition('=')[2]}", f"workers=localhost:{port}"]
        finally:
            process.terminate()


def seconds(job: Path, root: Path, keys: Sequence[str]) -> dict[str, float]:
    """Runs a job with keys of the section beam; returns the seconds by component."""
    options = [word for key in keys for word in ("--set", f"beam.{key}")]
    run(_HERE, ["run", str(job), "--root", str(root), "--until", _COMPONENTS[-1], *options])
    (record,) = root.glob("logs/*/run.json")
    found = {each["name"]: each["seconds"] for each in json.loads(record.read_text())["components"]}
    return {name: found[name] for name in _COMPONENTS}


def measure(prism: str, documents: int, repetitions: int) -> dict[str, list[dict[str, float]]]:
    """Returns the seconds by component of every run of each engine."""
    found: dict[str, list[dict[str, float]]] = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, server_and_worker(prism) as served:
        job = write_job(Path(folder), documents)
        engines = {"local": ["engine=local"], "prism": ["engine=prism", f"prism={prism}"], "prism server": served}
        for repetition in range(repetitions):
            for name, keys in engines.items():
                root = Path(folder, "root")
                found[name].append(seconds(job, root, keys))
                shutil.rmtree(root)
                print(
                    f"{name}, run {repetition + 1} of {repetitions}: {sum(found[name][-1].values()):.1f} s", flush=True
                )
    return found


def report(found: Mapping[str, Sequence[Mapping[str, float]]], documents: int) -> str:
    """Returns a table of the medians: documents per second, their ratio to the first engine, seconds by component."""
    totals = {name: statistics.median(sum(each.values()) for each in runs) for name, runs in found.items()}
    first = next(iter(totals.values()))
    lines = [["engine", "documents/s", "ratio", *(f"{name}, s" for name in _COMPONENTS)]]
    for name, runs in found.items():
        each = [statistics.median(one[component] for one in runs) for component in _COMPONENTS]
        cells = [f"{documents / totals[name]:,.0f}", f"{first / totals[name]:.2f}", *(f"{value:.1f}" for value in each)]
        lines.append([name, *cells])
    return table(lines)


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.engines", description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=33_530, help="documents in the corpus")
    parser.add_argument("--repetitions", type=int, default=3, help="runs per engine")
    arguments = parser.parse_args()
    prism = os.environ.get("SEQLOOM_PRISM") or shutil.which("prism")
    if prism is None:
        raise JobError("Prism is not installed.", found="neither SEQLOOM_PRISM nor a prism on the PATH")
    print(report(measure(prism, arguments.documents, arguments.repetitions), arguments.documents))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except JobError as error:
        sys.exit(str(error))
