"""The evaluation data of word vectors as `tf.SequenceExample` records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import tensorflow as tf

from components.evaluation_sets.sets import QuestionSet
from components.evaluation_sets.settings import HELD_OUT
from trainer.data import features as f
from trainer.vectors.judgement_features import DOCUMENTS, SCORE, TASK

SECTION = "section"
GATES = "gates"
"""1 if the record's set counts for gates, else 0."""


def encode_questions(source: QuestionSet, gates: bool) -> Iterator[bytes]:
    """Serializes the questions of a set; `gates` says whether the set counts for gates.

    Yields:
        Records with the context features `id` (the set and the line in its file), `source` (the set), `task`,
        `section` (the set's name if it has no sections), `score` and `gates`, and the feature list `tokens`,
        one step per word.
    """
    for question in source.questions:
        words = tf.train.FeatureList(feature=[_text(word) for word in question.words])
        identity = f"{source.name}:{question.line}"
        context = _context(identity, source.name, source.task, question.section or source.name, question.score, gates)
        yield _serialize(context, {f.TOKENS: words})


def encode_documents(raw: Iterable[bytes]) -> Iterator[bytes]:
    """Serializes raw records with the context features of questions and their unchanged feature list `text`."""
    for record in raw:
        example = tf.train.SequenceExample.FromString(record)
        (identity,) = example.context.feature[f.ID].bytes_list.value
        context = _context(identity.decode(), HELD_OUT, DOCUMENTS, HELD_OUT, 0.0, True)
        yield _serialize(context, {f.TEXT: example.feature_lists.feature_list[f.TEXT]})


def _context(
    identity: str, source: str, task: str, section: str, score: float, gates: bool
) -> dict[str, tf.train.Feature]:
    texts = {f.ID: identity, f.SOURCE: source, TASK: task, SECTION: section}
    return {
        **{name: _text(value) for name, value in texts.items()},
        SCORE: tf.train.Feature(float_list={"value": [score]}),
        GATES: tf.train.Feature(int64_list={"value": [int(gates)]}),
    }


def _text(value: str) -> tf.train.Feature:
    return tf.train.Feature(bytes_list={"value": [value.encode()]})


def _serialize(context: Mapping[str, tf.train.Feature], lists: Mapping[str, tf.train.FeatureList]) -> bytes:
    example = tf.train.SequenceExample(context={"feature": context}, feature_lists={"feature_list": lists})
    serialized: bytes = example.SerializeToString(deterministic=True)
    return serialized
