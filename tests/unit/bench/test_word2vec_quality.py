"""Judgements of vectors against NumPy and SciPy, and their table."""

from pathlib import Path

import numpy as np
import pytest
from gensim.test.utils import datapath
from scipy import stats

from bench.vectors.word2vec_quality import Judgement, comparison, judge
from trainer.vectors.vector_files import WordVectors, write_binary


def lines(file: str) -> list[list[str]]:
    text = Path(datapath(file)).read_text(encoding="utf-8").splitlines()
    return [line.lower().split() for line in text if line[0] != "#"]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture
def written(tmp_path: Path):
    """A function that writes random vectors of words."""

    def write(words: list[str]) -> tuple[Path, dict[str, np.ndarray]]:
        vectors = np.random.default_rng(3).normal(size=(len(words), 8)).astype(np.float32)
        write_binary(str(tmp_path / "vectors.bin"), WordVectors(words, vectors))
        return tmp_path / "vectors.bin", dict(zip(words, vectors, strict=True))

    return write


@pytest.mark.parametrize(("name", "file"), [("wordsim353", "wordsim353.tsv"), ("simlex999", "simlex999.txt")])
def test_similarity_is_spearmans_correlation_over_the_known_pairs(written, name: str, file: str) -> None:
    asked = [(a, b, float(score)) for a, b, score in lines(file)]
    words = sorted({word for a, b, _ in asked[:60] for word in (a, b)})
    path, vectors = written(words)
    known = [(a, b, score) for a, b, score in asked if a in vectors and b in vectors]
    cosines = [unit(vectors[a]) @ unit(vectors[b]) for a, b, _ in known]
    judged = judge(path)[name]
    assert judged.known == len(known) >= 60
    assert judged.value == pytest.approx(stats.spearmanr(cosines, [score for *_, score in known])[0], abs=1e-6)


def test_an_analogy_is_solved_if_the_nearest_other_word_is_the_answer(written) -> None:
    questions = [line for line in lines("questions-words.txt") if line[0] != ":"]
    words = sorted({word for question in questions[:10] for word in question})
    path, vectors = written(words)
    known = [question for question in questions if all(word in vectors for word in question)]
    matrix = unit(np.stack(list(vectors.values())))
    solved = 0
    for a, b, c, answer in known:
        scores = matrix @ (unit(vectors[b]) - unit(vectors[a]) + unit(vectors[c]))
        scores[[words.index(word) for word in (a, b, c)]] = -np.inf
        solved += words[int(scores.argmax())] == answer
    judged = judge(path)["questions-words"]
    assert 0 < solved < len(known)
    assert (judged.value, judged.known) == (pytest.approx(solved / len(known)), len(known))


def test_unknown_words_and_a_single_pair_are_not_judged(written) -> None:
    assert set(judge(written(["xyzzy", "plugh"])[0]).values()) == {Judgement(None, 0)}
    assert judge(written(["love", "sex"])[0])["wordsim353"] == Judgement(None, 1)


def test_the_comparison_has_means_with_deviations_and_their_difference() -> None:
    def judged(pairs: float | None, analogies: float | None) -> dict[str, Judgement]:
        return {"pairs": Judgement(pairs, 7), "analogies": Judgement(analogies, 0)}

    sides = {"new": [judged(0.5, None), judged(0.7, None)], "old": [judged(0.4, None), judged(0.4, 0.3)]}
    assert comparison(sides).splitlines() == [
        "|  | known | new | old | difference |",
        "| --- | --- | --- | --- | --- |",
        "| pairs | 7 | 0.6000 ± 0.1414 | 0.4000 ± 0.0000 | +0.2000 |",
        "| analogies | 0 | - | 0.3000 | - |",
    ]
