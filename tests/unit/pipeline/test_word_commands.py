"""The commands on words, with vectors that are one degree apart."""

import gzip
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import app

ROOT = Path(__file__).parents[3]


@pytest.fixture
def model(word_vectors):
    return word_vectors


def invoke(*arguments, **values):
    return CliRunner().invoke(app.app, [str(argument) for argument in arguments], **values)


def answers(*arguments, **values):
    result = invoke(*arguments, **values)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def near(*pairs):
    return [{"word": word, "similarity": pytest.approx(math.cos(math.radians(degrees)))} for word, degrees in pairs]


@pytest.mark.parametrize("options", [[], ["--index"]])
def test_neighbors_come_with_their_cosines(root, options):
    assert answers("neighbors", root, "film", "BAD", "--k", 3, *options) == [
        {"word": "film", "known": True, "neighbors": near(("movie", 1), ("picture", 2), ("don't", 3))},
        {"word": "BAD", "known": True, "neighbors": near(("good", 1), ("woman", 2), ("man", 3))},
    ]
    (found,) = answers("neighbors", root, "café", "--k", 1000, *options)
    words = [neighbor["word"] for neighbor in found["neighbors"]]
    assert (len(words), "café" in words) == (11, False)
    assert answers("neighbors", root, "flim", "xyz", *options) == [
        {"word": "flim", "known": False, "neighbors": [], "did_you_mean": "film"},
        {"word": "xyz", "known": False, "neighbors": []},
    ]
    # Similarities are the shortest decimals.
    line = invoke("neighbors", root, "film", "--k", 1).stdout
    (number,) = [field for field in line.replace("}", " ").split() if field.startswith("0.")]
    assert number == str(np.float32(float(number)))


def test_an_analogy_is_completed(root):
    (found,) = answers("analogy", root, "film", "picture", "don't", "--k", 2)
    film, picture, dont = (np.exp(1j * math.radians(degrees)) for degrees in (0, 2, 3))
    angle = math.degrees(np.angle(picture - film + dont))
    degrees = {'"': 5, "café": 4, "king": 6, "movie": 1}
    order = sorted(degrees, key=lambda word: abs(degrees[word] - angle))[:2]
    expected = near(*((word, degrees[word] - angle) for word in order))
    assert found == {"a": "film", "b": "picture", "c": "don't", "known": True, "answers": expected}
    # Each unknown word has a hint.
    (found,) = answers("analogy", root, "mann", "king", "womann")
    assert found == {
        **{"a": "mann", "b": "king", "c": "womann", "known": False, "answers": []},
        "did_you_mean": {"mann": "man", "womann": "woman"},
    }


def test_vectors_are_printed_exactly(root):
    found = answers("vectors", root, "Movie", "movies")
    one = np.float32([math.cos(math.radians(1)), math.sin(math.radians(1))])
    assert [np.float32(found[0]["vector"]).tolist(), found[0]["word"]] == [one.tolist(), "Movie"]
    assert found[1] == {"word": "movies", "known": False, "vector": [0.0, 0.0], "did_you_mean": "movie"}


def test_vectors_of_words_from_a_file_and_from_standard_input(model, tmp_path):
    path = tmp_path / "words.jsonl"
    path.write_text('"film"\n\n{"word": "flim"}\n')
    found = answers("vectors", model, "--input", path)
    assert found == [
        {"word": "film", "known": True, "vector": [1.0, 0.0]},
        {"word": "flim", "known": False, "vector": [0.0, 0.0]},
    ]
    assert answers("vectors", model, input="film\nflim\n") == found
    assert answers("vectors", model, input="film\n" * 600) == [found[0]] * 600


FILM, FLIM = {"word": "film", "known": True, "vector": [1, 0]}, {"word": "flim", "known": False, "vector": [0, 0]}


def test_a_bad_line_of_words_is_reported_and_the_others_are_answered(model, tmp_path):
    path = tmp_path / "words.jsonl"
    path.write_bytes(b'"film"\n{"text": "film"}\n{"word": "flim", "id": 7}\n\xff\nfilm\n')
    result = invoke("vectors", model, "--input", path)
    assert result.exit_code == 1
    assert [json.loads(line) for line in result.stdout.splitlines()] == [FILM, {"id": 7, **FLIM}]
    assert result.stderr.splitlines() == [
        'A line has no key "word".',
        f"  where: {path}:2",
        "  found: the keys text",
        '  expected: {"word": "..."} or "..."',
        "A line is not UTF-8.",
        f"  where: {path}:4",
        "  found: the byte 0xff at column 1",
        "A line is not JSON.",
        f"  where: {path}:5",
        "  found: Expecting value: line 1 column 1 (char 0)",
        '  expected: {"word": "..."} or "..."',
        "3 records cannot be read.",
    ]
    result = invoke("vectors", model, input=b"film\n\xff\nflim\n")
    assert (result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]) == (1, [FILM, FLIM])
    assert result.stderr.endswith("where: stdin:2\n  found: the byte 0xff at column 1\n1 record cannot be read.\n")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("words.txt", "film\n\nflim\n", [FILM, FLIM]),
        ("words.csv", "id,word\na,film\nb,flim\n", [{"id": "a", **FILM}, {"id": "b", **FLIM}]),
        ("words.tsv.gz", gzip.compress(b"word\nflim\n", mtime=0), [FLIM]),
        ("words.json", '[{"word": "film", "id": 1}]', [{"id": "1", **FILM}]),
    ],
)
def test_words_come_from_files_of_other_formats(model, tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    assert answers("vectors", model, "--input", tmp_path / name) == expected


@pytest.mark.parametrize(
    ("file", "arguments", "part"),
    [
        ("neighbors.faiss", ["film", "--index"], "The model has no index of neighbors."),
        ("metadata.tsv", ["flim"], "metadata.tsv"),
    ],
)
def test_a_model_needs_its_index_and_its_words_only_where_they_are_used(model, tmp_path, file, arguments, part):
    shutil.copytree(model, tmp_path / "model")
    (tmp_path / "model" / file).unlink()
    (found,) = answers("neighbors", tmp_path / "model", "film", "--k", 1)
    assert found["neighbors"] == near(("movie", 1))
    result = invoke("neighbors", tmp_path / "model", *arguments)
    assert result.exit_code == 2
    assert part in result.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["neighbors", "{root}"], "WORD"),
        (["neighbors", "{root}", "film", "--k", "0"], "--k"),
        (["analogy", "{root}", "a", "b"], "C"),
        (["vectors", "{root}", "film", "--input", "x"], "WORD and --input cannot be combined"),
        (["vectors", "{root}", "--input", "{root}/none"], "The input cannot be read"),
    ],
)
def test_wrong_usage(root, arguments, part):
    result = invoke(*(argument.format(root=root) for argument in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert part in result.stderr


@pytest.mark.slow
def test_a_real_process_prints_nothing_but_answers(model):
    command = [sys.executable, "-m", "pipeline.cli", "neighbors", str(model), "film", "--k", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert json.loads(done.stdout)["neighbors"] == near(("movie", 1))
    assert done.stderr == b""
    done = subprocess.run([*command[:-2], b"\xff"], cwd=ROOT, capture_output=True, check=False)
    assert done.stderr.decode().splitlines()[:2] == ["A word is not valid Unicode.", "  where: WORD 2"]
    assert done.returncode == 2
