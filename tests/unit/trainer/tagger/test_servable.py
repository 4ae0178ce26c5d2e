"""The SavedModel of a small trained tagger, called in a process without this project."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.tagger.answers import TagAnswers

TAGS = ("O", "B-LOC", "I-LOC", "B-PER")
SETTINGS = {
    **{"embedding": 8, "units": 8, "epochs": 8, "patience": 8, "learning_rate": 0.03, "batch_tokens": 200},
    **{"word_dropout": 0.05, "spatial_dropout": 0, "dropout": 0},
}


@pytest.fixture(scope="module")
def saved(tagged, train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SavedModel, moved away from where it was written."""
    folder = tmp_path_factory.mktemp("saved")
    shutil.move(train(tagged, folder, **SETTINGS), folder / "moved")
    return folder / "moved"


@pytest.fixture(scope="module")
def answers(tagged, saved: Path, records, ask_elsewhere) -> dict:
    raw, bare = records(tagged.raw["eval"]), []
    for record in raw:
        example = tf.train.SequenceExample.FromString(record)
        del example.feature_lists.feature_list["tags"]
        bare.append(example.SerializeToString())
    return ask_elsewhere(
        saved,
        serving_default=("serving_default", [" ".join(one.tokens).encode() for one in tagged.documents["eval"]]),
        without_tags=("serve_examples", bare),
        evaluate=("evaluate", records(tagged.transformed["eval"])),
        judge=("judge", raw),
        none=("serving_default", []),
        none_transformed=("evaluate", []),
        blank=("serving_default", [b"", b" \t\n"]),
        odd=("serving_default", [b"", b"\xff new  words\n", b"by\tLea "]),
    )


def test_every_token_gets_a_tag_without_given_ones_and_padding_is_blank(answers: dict, tagged) -> None:
    served, evaluated, right = answers["serving_default"], answers["evaluate"], []
    assert answers["signatures"] == ["evaluate", "judge", "serve_examples", "serving_default"]
    assert answers["without_tags"] == served
    assert evaluated["tags"] == answers["judge"]["tags"] == served["tags"]
    probabilities, scores = (np.array(evaluated[name], np.float32) for name in ("probabilities", "scores"))
    ids = np.array([[TAGS.index(tag or "O") for tag in row] for row in evaluated["tags"]])
    np.testing.assert_array_equal(np.take_along_axis(probabilities, ids[..., None], 2)[..., 0], scores)
    np.testing.assert_allclose(scores, np.array(served["scores"], np.float32), atol=1e-6)
    width = max(len(document.tokens) for document in tagged.documents["eval"])
    rows = zip(*(served[name] for name in ("tokens", "tags", "scores", "length")), strict=True)
    for document, (tokens, tags, scores, length) in zip(tagged.documents["eval"], rows, strict=True):
        assert length == len(document.tokens)
        assert tokens == [*document.tokens, *[""] * (width - length)]
        assert set(tags[:length]) <= set(TAGS)
        assert tags[length:] == [""] * (width - length)
        assert all(0 < score <= 1 for score in scores[:length])
        assert scores[length:] == [0] * (width - length)
        right += [given == found for given, found in zip(document.tags, tags[:length], strict=True)]
    assert np.mean(right) > 0.97


def test_sentences_given_by_their_tokens_have_the_answers_of_texts(saved: Path, tagged) -> None:
    ask = TagAnswers(str(saved))
    sentences = [document.tokens for document in tagged.documents["eval"]]
    assert ask.tag(sentences) == ask([" ".join(tokens) for tokens in sentences])
    (answer,) = ask.tag([("by Lea", "in", "Nice")])
    assert answer["tokens"] == ["by Lea", "in", "Nice"]
    assert [len(answer[name]) for name in ("tags", "scores")] == [3, 3]


def test_judge_returns_the_loss_of_the_given_tags(answers: dict, tagged) -> None:
    judged, probabilities = answers["judge"], answers["evaluate"]["probabilities"]
    for number, document in enumerate(tagged.documents["eval"]):
        assert judged["given"][number][: len(document.tags)] == list(document.tags)
        rows = zip(probabilities[number], document.tags, strict=False)
        expected = math.fsum(-math.log(row[TAGS.index(tag)]) for row, tag in rows)
        assert judged["loss"][number] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_an_unknown_tag_has_the_minimum_probability(saved: Path, tagged, records) -> None:
    example = tf.train.SequenceExample.FromString(records(tagged.raw["eval"])[0])
    judge = tf.saved_model.load(str(saved)).signatures["judge"]
    before = judge(tf.constant([example.SerializeToString()]))["loss"].numpy()[0]
    for step in example.feature_lists.feature_list["tags"].feature:
        step.bytes_list.value[0] = b"B-NEW"
    after = judge(tf.constant([example.SerializeToString()]))
    steps = len(example.feature_lists.feature_list["tags"].feature)
    assert before / steps < 1
    assert after["loss"].numpy()[0] == pytest.approx(-steps * math.log(1e-7))
    assert set(after["given"].numpy()[0]) == {b"B-NEW"}


def test_unusual_batches_are_answered(answers: dict) -> None:
    assert answers["none"] == {"tokens": [], "tags": [], "scores": [], "length": []}
    assert answers["none_transformed"]["length"] == []
    assert answers["blank"] == {"tokens": [[""]] * 2, "tags": [[""]] * 2, "scores": [[0]] * 2, "length": [0, 0]}
    odd = answers["odd"]
    assert odd["length"] == [0, 3, 2]
    assert odd["tokens"] == [[""] * 3, ["\ufffd", "new", "words"], ["by", "Lea", ""]]
    assert odd["tags"][2] == ["O", "B-PER", ""]
