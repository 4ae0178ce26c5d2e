"""Fixtures that save small transform graphs and word vectors."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def transform_graph(tmp_path_factory: pytest.TempPathFactory):
    """A function that saves a transform graph for plain text with some words, without Beam."""
    import tensorflow as tf

    from trainer.settings import RESERVED_WORDS, TransformSettings
    from trainer.text.lines_table import lines_table
    from trainer.text.preprocessing import lookup, tokenize

    def save(words: list[str], settings: TransformSettings) -> str:
        folder = tmp_path_factory.mktemp("graph")
        (folder / "vocabulary.txt").write_text("".join(f"{word}\n" for word in [*RESERVED_WORDS, *words]))
        module = tf.Module()
        module.table = lines_table(str(folder / "vocabulary.txt"), 1)

        def transform(raw: dict) -> dict:
            tokens = lookup(tokenize(raw["text"], settings), module.table, settings)
            return {"id": raw["id"], "source": raw["source"], "length": tokens.row_lengths(), "tokens": tokens}

        column = tf.TensorSpec([None], tf.string)
        text = tf.RaggedTensorSpec([None, None, None], tf.string, 2, tf.int64)
        module.transform_fn = tf.function(transform, autograph=False).get_concrete_function(
            {"id": column, "source": column, "text": text}
        )
        tf.saved_model.save(module, str(folder / "transform_fn"))
        return str(folder / "transform_fn")

    return save


@pytest.fixture(scope="session")
def make_servable(transform_graph):
    """A function that makes the servable of words and vectors; a document's loss is the sum of its ids."""
    import tensorflow as tf

    from trainer.settings import TransformSettings
    from trainer.word2vec.servable import WordVectorsServable
    from trainer.word2vec.settings import Word2vecSettings

    def make(
        words, vectors, *, transform: dict | None = None, graph: str | None = None, ngram_vectors=None, **settings
    ):
        transform_settings = TransformSettings(**(transform or {}))
        weight = tf.Variable(1.0)

        def heldout(ids):
            return tf.cast(tf.reduce_sum(ids, axis=1), tf.float32) * weight, tf.cast(ids.row_lengths(), tf.float32)

        return WordVectorsServable(
            words,
            vectors,
            vectors,
            range(len(words), 0, -1),
            Word2vecSettings(**settings),
            graph or transform_graph(words, transform_settings),
            transform_settings,
            heldout,
            ngram_vectors,
        )

    return make


@pytest.fixture(scope="session")
def word_vectors(make_servable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of words around a circle, one degree apart."""
    import numpy as np

    angles = np.radians(np.arange(12))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    path = tmp_path_factory.mktemp("vectors") / "saved"
    words = ["film", "movie", "picture", "don't", "café", '"', "king", "queen", "man", "woman", "good", "bad"]
    make_servable(words, vectors, index="hnsw").save(str(path))
    about = path / "assets.extra" / "seqloom.json"
    about.parent.mkdir(exist_ok=True)
    about.write_text('{"task": "word2vec"}')
    return path
