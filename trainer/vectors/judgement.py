"""Evaluation of word vectors on pairs of words, analogies and held-out documents."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from trainer.data import features as f
from trainer.vectors.judgement_features import ANALOGY, DOCUMENTS, SIMILARITY, TASK
from trainer.vectors.lookup import ABSENT, WordLookup
from trainer.vectors.nearest import VectorTable, cosine, unit

_CONTEXT = {name: tf.io.FixedLenFeature([], tf.string, default_value="") for name in (f.ID, f.SOURCE, TASK)}
_LISTS = {name: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64) for name in (f.TOKENS, f.TEXT)}
_MAX_WORDS = 4


def judge_records(
    examples: tf.Tensor,
    lookup: WordLookup,
    table: VectorTable,
    heldout: Callable[[f.Features], tuple[tf.Tensor, tf.Tensor]],
) -> dict[str, tf.Tensor]:
    """Answers judgement records.

    Words are compared ignoring case, and the most frequent of words that differ only in case counts, as in gensim's
    `evaluate_word_pairs` and `evaluate_word_analogies`.

    Args:
        examples: Serialized `tf.SequenceExample` records, string [n].
        lookup: The vocabulary.
        table: Its vectors.
        heldout: From raw documents, `id`, `source` and `text`, to summed losses and numbers of pairs, float32 [n].

    Returns:
        float32 [n] each, 0 where they do not apply: `similarity`, the cosine of a pair of words; `correct`, 1 if the
        best answer of an analogy is its fourth word; `loss` and `pairs` of a held-out document; `known`, 1 if all
        words of a pair or an analogy have vectors.
    """
    context, lists, _ = tf.io.parse_sequence_example(examples, _CONTEXT, _LISTS)
    task = context[TASK]
    groups = lookup.folded(lists[f.TOKENS].merge_dims(1, 2).to_tensor("", shape=[None, _MAX_WORDS]))
    pair = (task == SIMILARITY) & tf.reduce_all(groups[:, :2] != ABSENT, axis=1)
    analogy = (task == ANALOGY) & tf.reduce_all(groups != ABSENT, axis=1)
    document = task == DOCUMENTS
    first, second = (_vectors(tf.boolean_mask(groups[:, word], pair), lookup, table) for word in range(2))
    raw = {name: tf.ragged.boolean_mask(value, document) for name, value in {**context, f.TEXT: lists[f.TEXT]}.items()}
    nothing = tf.zeros([0])
    loss, pairs = tf.cond(tf.reduce_any(document), lambda: heldout(raw), lambda: (nothing, nothing))
    return {
        "similarity": _spread(cosine(first, second), pair),
        "correct": _spread(_solved(tf.boolean_mask(groups, analogy), lookup, table), analogy),
        "loss": _spread(loss, document),
        "pairs": _spread(pairs, document),
        "known": tf.cast(pair | analogy, tf.float32),
    }


def _solved(groups: tf.Tensor, lookup: WordLookup, table: VectorTable) -> tf.Tensor:
    """Returns which analogies, groups of words, int64 [n, 4], 3CosAdd solves, float32 [n]."""
    a, b, c = (unit(_vectors(groups[:, word], lookup, table)) for word in range(3))
    excluded = lookup.variants(groups[:, :3]).merge_dims(1, 2).to_tensor(ABSENT)
    similarity, best = table.nearest(b - a + c, excluded, 1)
    expected = lookup.variants(groups[:, 3]).to_tensor(ABSENT)
    # If the question contains all words, every similarity is minus infinity.
    return tf.cast(tf.reduce_any(best == expected, axis=1) & tf.math.is_finite(similarity[:, 0]), tf.float32)


def _vectors(groups: tf.Tensor, lookup: WordLookup, table: VectorTable) -> tf.Tensor:
    """Returns the vectors of the groups' most frequent words, float32 [n, dimensions]."""
    return table.take(lookup.variants(groups).to_tensor(ABSENT, shape=[None, 1])[:, 0])


def _spread(values: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
    """Scatters values, float32 [m], to where `at`, bool [n], is true: float32 [n], 0 elsewhere."""
    return tf.scatter_nd(tf.where(at), values, tf.shape(at, tf.int64))
