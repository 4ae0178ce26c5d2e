"""The commands that ask word vectors, of words whose vectors stand one degree apart."""

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
def root(tmp_path, word_vectors):
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "3").symlink_to(word_vectors)
    return tmp_path


def invoke(*arguments, **values):
    return CliRunner().invoke(app.app, [str(argument) for argument in arguments], **values)


def answers(result):
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def near(*pairs):
    return [{"word": word, "similarity": pytest.approx(math.cos(math.radians(degrees)))} for word, degrees in pairs]


@pytest.mark.parametrize("options", [[], ["--index"]])
def test_neighbors_come_with_their_cosines(root, options):
    found = answers(invoke("neighbors", root, "film", "BAD", "--k", 3, *options))
    assert found == [
        {"word": "film", "known": True, "neighbors": near(("movie", 1), ("picture", 2), ("don't", 3))},
        {"word": "BAD", "known": True, "neighbors": near(("good", 1), ("woman", 2), ("man", 3))},
    ]


@pytest.mark.parametrize("options", [[], ["--index"]])
def test_all_other_words_are_neighbors_where_more_are_asked_for(word_vectors, options):
    (found,) = answers(invoke("neighbors", word_vectors, "café", "--k", 1000, *options))
    assert len(found["neighbors"]) == 11
    assert "café" not in [neighbor["word"] for neighbor in found["neighbors"]]


@pytest.mark.parametrize("options", [[], ["--index"]])
def test_unknown_words_are_told_with_a_hint(word_vectors, options):
    found = answers(invoke("neighbors", word_vectors, "flim", "xyz", "film", *options))
    assert found[:2] == [
        {"word": "flim", "known": False, "neighbors": [], "did_you_mean": "film"},
        {"word": "xyz", "known": False, "neighbors": []},
    ]
    assert found[2]["known"]


def test_similarities_are_the_shortest_decimals(word_vectors):
    line = invoke("neighbors", word_vectors, "film", "--k", 1).stdout
    (number,) = [field for field in line.replace("}", " ").split() if field.startswith("0.")]
    assert number == str(np.float32(float(number)))


def test_an_analogy_is_answered(root):
    (found,) = answers(invoke("analogy", root, "film", "picture", "don't", "--k", 2))
    film, picture, dont = np.radians([0, 2, 3])
    angle = math.degrees(
        math.atan2(
            math.sin(picture) - math.sin(film) + math.sin(dont), math.cos(picture) - math.cos(film) + math.cos(dont)
        )
    )
    degrees = {'"': 5, "café": 4, "king": 6, "movie": 1}
    order = sorted(degrees, key=lambda word: abs(degrees[word] - angle))[:2]
    expected = near(*((word, degrees[word] - angle) for word in order))
    assert found == {"a": "film", "b": "picture", "c": "don't", "known": True, "answers": expected}


def test_an_analogy_of_unknown_words_hints_at_each(word_vectors):
    (found,) = answers(invoke("analogy", word_vectors, "mann", "king", "womann"))
    assert found == {
        **{"a": "mann", "b": "king", "c": "womann", "known": False, "answers": []},
        "did_you_mean": {"mann": "man", "womann": "woman"},
    }


def test_vectors_are_printed_as_they_are(root):
    found = answers(invoke("vectors", root, "Movie", "movies"))
    one = np.float32([math.cos(math.radians(1)), math.sin(math.radians(1))])
    assert [np.float32(found[0]["vector"]).tolist(), found[0]["word"]] == [one.tolist(), "Movie"]
    assert found[1] == {"word": "movies", "known": False, "vector": [0.0, 0.0], "did_you_mean": "movie"}


def test_vectors_of_words_from_a_file_and_from_the_standard_input(word_vectors, tmp_path):
    path = tmp_path / "words.jsonl"
    path.write_text('"film"\n\n{"word": "flim"}\n')
    found = answers(invoke("vectors", word_vectors, "--input", path))
    assert found == [
        {"word": "film", "known": True, "vector": [1.0, 0.0]},
        {"word": "flim", "known": False, "vector": [0.0, 0.0]},
    ]
    assert answers(invoke("vectors", word_vectors, input="film\nflim\n")) == found
    many = answers(invoke("vectors", word_vectors, input="film\n" * 600))
    assert many == [found[0]] * 600


def test_the_answers_before_a_broken_line_are_given(word_vectors, tmp_path):
    path = tmp_path / "words.jsonl"
    path.write_text('"film"\n{"text": "film"}\n')
    result = invoke("vectors", word_vectors, "--input", path)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["word"] == "film"
    assert f"where: {path}:2" in result.stderr


def test_a_model_without_an_index_says_so(word_vectors, tmp_path):
    shutil.copytree(word_vectors, tmp_path / "model")
    (tmp_path / "model" / "neighbors.faiss").unlink()
    result = invoke("neighbors", tmp_path / "model", "film", "--index")
    assert result.exit_code == 2
    assert "The model has no index of neighbours." in result.stderr
    assert len(answers(invoke("neighbors", tmp_path / "model", "film"))) == 1


def test_a_model_without_its_list_of_words_says_so_where_it_is_needed(word_vectors, tmp_path):
    shutil.copytree(word_vectors, tmp_path / "model")
    (tmp_path / "model" / "metadata.tsv").unlink()
    assert answers(invoke("neighbors", tmp_path / "model", "film", "--k", 1))[0]["neighbors"] == near(("movie", 1))
    result = invoke("neighbors", tmp_path / "model", "flim")
    assert result.exit_code == 2
    assert "metadata.tsv" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["neighbors", "{root}"], "WORD"),
        (["neighbors", "{root}", "film", "--k", "0"], "--k"),
        (["neighbors", "{root}/none", "film"], "The model or root does not exist"),
        (["analogy", "{root}", "a", "b"], "C"),
        (["vectors", "{root}", "film", "--input", "x"], "Words are given twice"),
        (["vectors", "{root}", "--input", "{root}/none"], "The input cannot be read"),
    ],
)
def test_wrong_usage(root, arguments, part):
    result = invoke(*(argument.format(root=root) for argument in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert part in result.stderr


@pytest.mark.slow
def test_a_real_process_says_nothing_but_answers(word_vectors):
    command = [sys.executable, "-m", "pipeline.cli", "neighbors", str(word_vectors), "film", "--k", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert json.loads(done.stdout)["neighbors"] == near(("movie", 1))
    assert done.stderr == b""
    done = subprocess.run([*command[:-2], b"\xff"], cwd=ROOT, capture_output=True, check=False)
    assert done.stderr.decode().splitlines()[:2] == ["A word is not valid Unicode.", "  where: WORD 2"]
    assert done.returncode == 2
