"""Trains the peers on the splits of a run; prints a table of their results and ours.

Run `python -m bench.peers --root runs/sentiment`, or `make bench-peers`. Each peer runs in its own process, so that
its peak memory is its own.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import documents, peer_models
from bench.measuring import data_tables
from bench.measuring.data_process import run_python
from trainer.errors import JobError


@dataclasses.dataclass(frozen=True)
class Row:
    """A peer: accuracies by slice, the setting picked on eval, training time and peak memory if known."""

    name: str
    accuracies: Mapping[str, float]
    setting: str = ""
    seconds: float | None = None
    gigabytes: float | None = None


def accuracies(predicted: Sequence[str], split: documents.Split) -> dict[str, float]:
    """Computes the share of documents with the right class, overall and by source."""
    right = [guess == label for guess, label in zip(predicted, split.labels, strict=True)]
    slices = {"overall": right}
    for source in sorted(set(split.sources)):
        slices[f"source={source}"] = [hit for hit, found in zip(right, split.sources, strict=True) if found == source]
    return {name: sum(hits) / len(hits) for name, hits in slices.items()}


def measure(peer: str, folder: Path) -> Row:
    """Trains a peer in this process on the splits that `documents.save` wrote; memory is not measured."""
    splits = documents.load(folder)
    name, train = peer_models.PEERS[peer]
    prediction = train(splits)
    return Row(name, accuracies(prediction.labels, splits["test"]), prediction.setting, prediction.seconds)


def measure_isolated(peer: str, folder: Path) -> Row:
    """Trains a peer in its own process, as `measure` does."""
    done = run_python(["-m", "bench.peers", "--measure", peer, "--documents", str(folder)], folder / f"{peer}.log")
    # Libraries may print before the result.
    row = Row(**json.loads(done.output.splitlines()[-1]))
    return dataclasses.replace(row, gigabytes=done.peak_bytes / 1e9)


def table(rows: Sequence[Row]) -> str:
    """Makes a Markdown table; its columns are the slices that any row has."""
    slices = list(dict.fromkeys(name for row in rows for name in row.accuracies))
    header = ["model", *(f"accuracy, {name.removeprefix('source=')}" for name in slices)]
    header += ["picked on eval", "training, s", "peak memory, GB"]
    lines = [header]
    for row in rows:
        cells = [f"{row.accuracies[name]:.4f}" if name in row.accuracies else "-" for name in slices]
        seconds = "-" if row.seconds is None else f"{row.seconds:.0f}"
        gigabytes = "-" if row.gigabytes is None else f"{row.gigabytes:.1f}"
        lines.append([row.name, *cells, row.setting or "-", seconds, gigabytes])
    return data_tables.table(lines)


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path("runs/sentiment"), help="root of the run")
    parser.add_argument("--peer", choices=peer_models.PEERS, action="append", help="run only this one; repeatable")
    parser.add_argument("--limit", type=int, help="use only about this many documents of each split")
    parser.add_argument("--measure", choices=peer_models.PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--documents", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(dataclasses.asdict(measure(arguments.measure, arguments.documents))))
        return 0
    peers = arguments.peer or list(peer_models.PEERS)
    if "fasttext" in peers and importlib.util.find_spec("fasttext") is None:
        print("fastText is skipped: it has no wheel for this Python.", file=sys.stderr)
        peers.remove("fasttext")
    try:
        with tempfile.TemporaryDirectory() as folder:
            metrics = documents.metrics(arguments.root)
            rows = [Row("seqloom", {name: values["accuracy"] for name, values in metrics.items()})]
            documents.newest(arguments.root, "CorpusExampleGen", "examples", "test")
            # TensorFlow stays out of this process, whose memory would count as that of the peers.
            save = ["-m", "bench.documents", str(arguments.root), folder, str(arguments.limit or 0)]
            run_python(save, Path(folder, "documents.log"))
            for peer in peers:
                print(f"training {peer_models.PEERS[peer][0]} ...", file=sys.stderr)
                rows.append(measure_isolated(peer, Path(folder)))
    except JobError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
