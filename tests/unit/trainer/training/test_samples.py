"""Documents with predictions, as text."""

import numpy as np

from trainer.supervised import samples

WORDS = ["<pad>", "<unk>", "<bos>", "<eos>", "fine", "a*b"]


def test_prediction_and_truth_precede_documents() -> None:
    batch = {"tokens": np.array([[4, 5, 1], [4, 9, 0]]), "length": np.array([3, 2]), "label": np.array([1, 1])}
    logits = np.array([[0.0, 1.0], [2.0, 1.0]])
    text = samples.describe(batch, logits, "label", WORDS, ["bad", "good"])
    assert text.split("\n\n") == ["good: fine a\\*b \\<unk\\>", "**bad (true: good)**: fine \\<unk\\>"]
    long = {"tokens": np.full((1, 100), 4), "length": np.array([100]), "label": np.array([0])}
    assert samples.describe(long, np.zeros((1, 1)), "label", WORDS, ["bad"]) == "bad: " + "fine " * 60 + "…"


def test_tags_follow_their_tokens() -> None:
    batch = {"tokens": np.array([[4, 4, 0]]), "length": np.array([2]), "tags": np.array([[0, 1, 0]])}
    logits = np.array([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    assert samples.describe(batch, logits, "tags", WORDS, ["B", "O"]) == "fine/B fine/**B (true: O)**"
