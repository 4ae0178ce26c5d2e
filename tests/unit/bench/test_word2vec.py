"""The word-vector benchmark on a corpus too small to measure speed or quality."""

import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
SMALL = ["--limit", "150", "--seeds", "1", "--epochs", "2", "--dimensions", "8", "--scale", "2"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.vectors.word2vec", *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_every_row_is_present_and_both_sides_have_the_same_vocabulary() -> None:
    done = run(*SMALL)
    assert done.returncode == 0, done.stderr
    sections = [line for line in done.stdout.splitlines() if line.startswith("### ")]
    assert sections == ["### 8 dimensions", "### scale, 8 dimensions", "### tutorial, 8 dimensions"]
    lines = [line[2:-2].split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    heads = [lines[number - 1] for number, line in enumerate(lines) if set(line) == {"---"}]
    body = [line for line in lines if line not in heads and set(line) != {"---"}]
    rates = ["words/s", "peak memory of the process, GB"]
    assert [line[0] for line in body] == [*rates, "wordsim353", "simlex999", "questions-words", *rates, *rates]
    assert [head[-2:] for head in heads[:1] + heads[3:]] == [["seqloom", "gensim"], ["seqloom", "Keras"]]
    ratios = [float(line[1].strip("*")) for line in body if line[1].startswith("**")]
    assert len(ratios) == 6
    assert all(ratio > 0 for ratio in ratios)
    # With different vocabularies, both numbers of known pairs would be shown.
    assert all(line[1].isdigit() for line in body[2:5])
    large, small = (int(text.split()[0].replace(",", "")) for text in heads[2][-2:])
    assert large == 2 * small
    assert f"{small:,} words, " in done.stdout.splitlines()[0]


def test_a_root_without_examples_is_an_error(tmp_path: Path) -> None:
    done = run("--root", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("The run has no transformed examples to train on.\n")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--scale", "1"], ["--root", "runs/x", "--limit", "9"]])
def test_invalid_arguments_are_wrong_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "error: argument" in done.stderr
