"""The benchmark of small corpora: its figures against scikit-learn's, and its draws."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from bench.small_data import small, small_corpora
from bench.small_data.small_corpora import CORPORA

DRAW = np.random.default_rng(1)


def test_figures_of_one_class_are_scikit_learns() -> None:
    labels = DRAW.integers(0, 3, 200)
    probabilities = DRAW.dirichlet([1, 1, 1], 200)
    found = small.judge(probabilities, np.eye(3, dtype=bool)[labels], 1.5, exclusive=True)
    answers = probabilities.argmax(1)
    assert found.accuracy == pytest.approx(accuracy_score(labels, answers))
    assert found.macro_f1 == pytest.approx(f1_score(labels, answers, average="macro"))
    assert found.loss == pytest.approx(log_loss(labels, probabilities), rel=1e-6)
    assert found.seconds == 1.5


def test_figures_of_several_labels_are_scikit_learns() -> None:
    wanted, probabilities = DRAW.random([100, 4]) < 0.4, DRAW.uniform(0.01, 0.99, [100, 4])
    found = small.judge(probabilities, wanted, 0, exclusive=False)
    assert found.accuracy == pytest.approx(accuracy_score(wanted, probabilities >= 0.5))
    assert found.macro_f1 == pytest.approx(f1_score(wanted, probabilities >= 0.5, average="macro"))
    losses = [log_loss(wanted[:, column], probabilities[:, column], labels=[0, 1]) for column in range(4)]
    assert found.loss == pytest.approx(np.mean(losses), rel=1e-6)


def test_probabilities_that_come_true_are_calibrated() -> None:
    right = np.array([[0.25, 0.75]] * 4)
    wanted = np.array([[True, False], [False, True], [False, True], [False, True]])
    assert small.judge(right, wanted, 0, exclusive=True).calibration == pytest.approx(0)
    assert small.judge(np.array([[0.0, 1.0]] * 4), wanted, 0, exclusive=True).calibration == pytest.approx(0.25)


@pytest.mark.parametrize("name", CORPORA)
def test_a_draw_and_the_rest_share_no_review(name: str, tmp_path: Path) -> None:
    corpus = CORPORA[name]
    drawn, unseen = small_corpora.draw(corpus, 500, 1, 4_000)
    assert len(drawn) == 500
    assert len(unseen) >= 4_000
    assert not {one.text for one in drawn} & {one.text for one in unseen}
    assert small_corpora.draw(corpus, 500, 1, 4_000) == (drawn, unseen)
    assert small_corpora.draw(corpus, 500, 2, 4_000)[0] != drawn
    if corpus.rare:
        share = sum(corpus.rare in one.labels for one in unseen) / len(unseen)
        assert share == pytest.approx(1 / 21, abs=0.005)
    path = small_corpora.write(drawn, corpus.multi_label, tmp_path)
    job = json.loads(path.read_text())
    assert "trainer" not in job
    assert "gates" not in job
    lines = [json.loads(line) for line in (tmp_path / "corpus.jsonl").read_text().splitlines()]
    assert [line["text"] for line in lines] == [one.text for one in drawn]
    labels = [line["label"] if corpus.multi_label else [line["label"]] for line in lines]
    assert labels == [list(one.labels) for one in drawn]


def test_a_whole_corpus_leaves_the_unseen_documents() -> None:
    drawn, unseen = small_corpora.draw(CORPORA["sentences"], 10**8, 1, 4_000)
    assert len(unseen) == 4_000
    assert len(drawn) == len(small_corpora.reviews(CORPORA["sentences"])) - 4_000
