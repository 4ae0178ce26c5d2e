"""The data benchmarks on a corpus too small to measure speed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPO = Path(__file__).resolve().parents[2]
STEPS, PEAK = "ExampleGen and Transform, documents/s", "peak memory of the process, GB"
CONVERT = [STEPS, "ExampleGen, documents/s", "Transform, documents/s", "whole process, documents/s", PEAK]
READ = ["documents/s, 16,384 tokens per batch", "seqloom", "tf.data"]
SIZE = ["SequenceExample, plain, MB", "SequenceExample, gzip, MB"]


def test_every_row_is_present_and_both_sides_wrote_the_same() -> None:
    command = [sys.executable, "-m", "bench.datasets.data", "--documents", "300", "--repeats", "1", "--copies", "2"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line[2:-2].split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    heads = [lines[number - 1] for number, line in enumerate(lines) if set(line) == {"---"}]
    body = [line for line in lines if line not in heads and set(line) != {"---"}]
    assert [line[0] for line in body] == [*CONVERT, "seqloom", "stock TFX", *READ, *SIZE, PEAK, STEPS]
    sections = [line for line in done.stdout.splitlines() if line.startswith("### ")]
    assert sections == ["### convert", "### read", "### size", "### memory"]
    written = {line[0]: line[1:3] for line in body[5:7]}
    assert written["seqloom"] == written["stock TFX"]
    documents, tokens = (int(cell.replace(",", "")) for cell in written["seqloom"])
    assert documents == 300
    assert tokens > documents
    assert ["", "600 documents / 300 documents", "pairs", "limit", "600 documents", "300 documents"] in heads
    ratios = [float(line[1].strip("*")) for line in body if line[1].startswith("**")]
    assert len(ratios) == 10
    assert all(ratio > 0 for ratio in ratios)
