"""The shares of the encoder and the chain, and taggers of both as they are published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from tests.unit.trainer.tagger.test_chain import enumerated
from trainer.supervised.shares import Shares
from trainer.tagger.linear import chain_shares
from trainer.tagger.linear.chain_shares import ScoredBatch

TAGS, LENGTHS = 3, (4, 1, 3)
SETTINGS = {"embedding": 8, "units": 8, "epochs": 2, "learning_rate": 0.03, "batch_tokens": 200}


def scored(draw: np.random.Generator, signal: tuple[float, float]) -> ScoredBatch:
    """A batch whose two scores tell so much of the tags."""
    shape = len(LENGTHS), max(LENGTHS) + 1
    tags = draw.integers(0, TAGS, shape)
    scores = (tell * np.eye(TAGS)[tags] + draw.normal(size=[*shape, TAGS]) for tell in signal)
    weights = tf.constant([1, 0.5, 2], tf.float32)
    return ScoredBatch(
        *(tf.constant(part, tf.float32) for part in scores),
        tf.constant(tags, tf.int64),
        tf.sequence_mask(LENGTHS, shape[1]),
        weights,
    )


def loss(batches: list[ScoredBatch], pairs: np.ndarray, shares: np.ndarray) -> float:
    """The weighted loss, by enumeration."""
    total = 0.0
    for encoder, chain, tags, _, weights in batches:
        for row, length in enumerate(LENGTHS):
            own, other = (part[row, :length].numpy().astype(float) for part in (encoder, chain))
            found = enumerated(shares[0] * own + shares[1] * other, shares[1] * pairs.astype(float))
            total -= float(weights[row]) * np.log(found[range(length), tags[row, :length]]).sum()
    return total


@pytest.mark.parametrize("signal", [(2.0, 0.5), (0.1, 2.0)])
def test_shares_have_the_lowest_loss_and_a_prior_around_the_chain_alone(signal: tuple[float, float]) -> None:
    draw = np.random.default_rng(6)
    batches, pairs = [scored(draw, signal) for _ in range(4)], draw.normal(size=[TAGS, TAGS]).astype("f")

    def total(shares: np.ndarray) -> float:
        return loss(batches, pairs, shares) + 5 * shares[0] ** 2 + 12.5 * (shares[1] - 1) ** 2

    best = scipy.optimize.minimize(total, [0.3, 0.7], method="L-BFGS-B", bounds=[(0, None)] * 2).x
    shares = chain_shares.choose(batches, pairs)
    np.testing.assert_allclose(shares, best, atol=2e-3)
    judged = chain_shares.judge(batches, pairs, shares)
    assert judged.loss == pytest.approx(loss(batches, pairs, np.array(shares)) / (4 * (4 + 0.5 + 2 * 3)), rel=1e-5)


def test_without_held_out_sentences_the_chain_answers_alone() -> None:
    assert chain_shares.choose([], np.zeros([TAGS, TAGS], "f")) == Shares(0, 1)


@pytest.fixture(scope="module")
def joint(tagged, train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tagged, tmp_path_factory.mktemp("joint"), **SETTINGS)


def report(model: Path) -> dict:
    return json.loads((model.parent / "logs" / "training.json").read_text())


def test_the_figures_of_the_eval_split_are_those_of_the_published_model(joint: Path, tagged, records) -> None:
    found, raw = report(joint)["joint"], tf.constant(records(tagged.raw["eval"]))
    judged = tf.saved_model.load(str(joint)).signatures["judge"](raw)
    tokens = int(tf.reduce_sum(judged["length"]))
    assert float(tf.reduce_sum(judged["loss"])) / tokens == pytest.approx(found["eval_loss"], rel=1e-4)
    right = tf.math.count_nonzero((judged["tags"] == judged["given"]) & (judged["tags"] != ""))
    assert int(right) / tokens == pytest.approx(found["eval_accuracy"])
    assert found["eval_loss"] <= found["crf_eval_loss"] + 1e-6
    best = min(figures["eval_loss"] for figures in report(joint)["history"])
    assert found["encoder_eval_loss"] == pytest.approx(best, rel=1e-4)
    assert found["attributes"] > 0
    assert found["crf_share"] > 0


def test_spelling_tells_unknown_words_apart(joint: Path) -> None:
    serve = tf.saved_model.load(str(joint)).signatures["serving_default"]
    one, other = serve(tf.constant(["w1 Pariser w2", "w1 17 w2"]))["scores"].numpy()
    assert not np.allclose(one[:3], other[:3], atol=1e-4)


@pytest.mark.slow
def test_without_the_chain_the_encoder_answers_alone(tagged, train, tmp_path: Path) -> None:
    model = train(tagged, tmp_path, **SETTINGS, crf=False)
    assert "joint" not in report(model)
    serve = tf.saved_model.load(str(model)).signatures["serving_default"]
    one, other = serve(tf.constant(["w1 Pariser w2", "w1 17 w2"]))["scores"].numpy()
    np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_from_left_to_right_no_answer_depends_on_later_tokens(tagged, train, tmp_path: Path) -> None:
    model = train(tagged, tmp_path, **SETTINGS, bidirectional=False)
    assert report(model)["joint"]["crf_share"] > 0
    serve = tf.saved_model.load(str(model)).signatures["serving_default"]
    whole, part = (serve(tf.constant([text]))["scores"].numpy()[0, :3] for text in ("w1 by Lea in Nice", "w1 by Lea"))
    np.testing.assert_allclose(whole, part, atol=1e-5)
