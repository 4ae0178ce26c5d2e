"""Asks published word vectors: words in, vectors, neighbours and answers to analogies out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.suggestions import closest
from pipeline.runs import published


class Model:
    """Loaded word vectors.

    Args:
        path: The folder of a SavedModel with the signatures of `trainer.word2vec.servable.Servable`.

    Raises:
        JobError: If it cannot be loaded or is another kind of model.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded = published.load(path, "words", {"vectors", "known", "word"})
        self._words: list[str] = []

    def vectors(self, words: Sequence[str]) -> list[dict[str, Any]]:
        """Gives the vectors of a batch of words: {"word", "known", "vector"} each."""
        found = self._ask("vectors", words=words)
        return [
            {"word": word, "known": bool(known), "vector": [published.shortest(number) for number in vector]}
            for word, known, vector in zip(words, found["known"], found["vectors"], strict=True)
        ]

    def neighbors(self, words: Sequence[str], k: int, *, approximate: bool = False) -> list[dict[str, Any]]:
        """Finds the nearest words.

        Args:
            words: The batch.
            k: How many of each.
            approximate: Search the index beside the model instead of comparing with all words.

        Returns:
            For each {"word", "known", "neighbors"}, the last a list of {"word", "similarity"}.

        Raises:
            JobError: If there is no such index or faiss is not installed.
        """
        if approximate:
            return self._indexed_neighbors(words, k)
        found = self._ask("neighbors", words=words, k=k)
        rows = zip(words, found["known"], found["neighbors"], found["similarity"], strict=True)
        return [
            {"word": word, "known": bool(known), "neighbors": _ranked(_texts(names), cosines)}
            for word, known, names, cosines in rows
        ]

    def analogy(self, a: str, b: str, c: str, k: int) -> dict[str, Any]:
        """Finds what is to c as b is to a: {"a", "b", "c", "known", "answers"}, the last of {"word", "similarity"}."""
        found = self._ask("analogy", a=[a], b=[b], c=[c], k=k)
        answers = _ranked(_texts(found["answers"][0]), found["similarity"][0])
        return {"a": a, "b": b, "c": c, "known": bool(found["known"][0]), "answers": answers}

    def hints(self, words: Sequence[str]) -> dict[str, str]:
        """Finds, for words without a vector, the word of the vocabulary that is spelled most like each, if one is."""
        known = self._ask("vectors", words=words)["known"]
        near = {word: closest(word, self._vocabulary()) for word, has in zip(words, known, strict=True) if not has}
        return {word: hint for word, hint in near.items() if hint}

    def _indexed_neighbors(self, words: Sequence[str], k: int) -> list[dict[str, Any]]:
        from trainer.word2vec.index import Index

        index, vocabulary = Index(str(self._path)), self._vocabulary()
        found = self._ask("vectors", words=words)
        # One more, for the word itself is its own nearest.
        similarity, rows = index.search(found["vectors"], min(k + 1, len(vocabulary)))
        rows[~found["vectors"].any(axis=1)] = -1
        answers = []
        for word, known, itself, near, cosines in zip(
            words, found["known"], found["word"], rows, similarity, strict=True
        ):
            names = [vocabulary[row] if row >= 0 else "" for row in near]
            neighbors = _ranked(["" if name == itself.decode() else name for name in names], cosines)[:k]
            answers.append({"word": word, "known": bool(known), "neighbors": neighbors})
        return answers

    def _vocabulary(self) -> list[str]:
        if not self._words:
            from trainer.vectors.vector_files import read_metadata

            self._words = read_metadata(str(self._path / "metadata.tsv"))
        return self._words

    def _ask(self, signature: str, *, k: int | None = None, **words: Sequence[str]) -> dict[str, Any]:
        import tensorflow as tf

        given = {name: tf.constant(list(value), tf.string) for name, value in words.items()}
        if k is not None:
            given["k"] = tf.constant(k, tf.int32)
        return {name: value.numpy() for name, value in self._loaded.signatures[signature](**given).items()}


def _ranked(words: Iterable[str], cosines: Iterable[object]) -> list[dict[str, Any]]:
    """Pairs answers with their cosines; blank ones are none."""
    pairs = zip(words, cosines, strict=True)
    return [{"word": word, "similarity": published.shortest(cosine)} for word, cosine in pairs if word]


def _texts(values: Iterable[bytes]) -> list[str]:
    return [value.decode() for value in values]
