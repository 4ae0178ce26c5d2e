"""Queries of published word vectors: vectors, neighbors and analogies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from trainer.jobs.saved_model import load, shortest
from trainer.text.suggestions import closest


class WordVectorAnswers:
    """Word vectors of a SavedModel with the signatures of `trainer.word2vec.servable`."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._loaded = load(directory)
        self._words: list[str] = []

    def vectors(self, words: Sequence[str]) -> list[dict[str, Any]]:
        """Returns the vectors of a batch of words: {"word", "known", "vector"} each."""
        found = self._call("vectors", words=words)
        return [
            {"word": word, "known": bool(known), "vector": [shortest(number) for number in vector]}
            for word, known, vector in zip(words, found["known"], found["vectors"], strict=True)
        ]

    def neighbors(self, words: Sequence[str], k: int, *, approximate: bool = False) -> list[dict[str, Any]]:
        """Finds the k nearest words of each word of a batch, by comparing with all words or in the model's index.

        Returns:
            For each {"word", "known", "neighbors"}, the last a list of {"word", "similarity"}.

        Raises:
            JobError: If the search is approximate, and the model has no index or faiss is not installed.
        """
        if approximate:
            return self._indexed_neighbors(words, k)
        found = self._call("neighbors", words=words, k=k)
        rows = zip(words, found["known"], found["neighbors"], found["similarity"], strict=True)
        return [
            {"word": word, "known": bool(known), "neighbors": _ranked((name.decode() for name in names), cosines)}
            for word, known, names, cosines in rows
        ]

    def analogy(self, a: str, b: str, c: str, k: int) -> dict[str, Any]:
        """Solves a : b = c : x: {"a", "b", "c", "known", "answers"}, the last a list of {"word", "similarity"}."""
        found = self._call("analogy", a=[a], b=[b], c=[c], k=k)
        answers = _ranked((answer.decode() for answer in found["answers"][0]), found["similarity"][0])
        return {"a": a, "b": b, "c": c, "known": bool(found["known"][0]), "answers": answers}

    def hints(self, words: Sequence[str]) -> dict[str, str]:
        """Returns, for words without a vector, the vocabulary word with the most similar spelling, if any."""
        known = self._call("vectors", words=words)["known"]
        near = {word: closest(word, self._vocabulary()) for word, has in zip(words, known, strict=True) if not has}
        return {word: hint for word, hint in near.items() if hint}

    def _indexed_neighbors(self, words: Sequence[str], k: int) -> list[dict[str, Any]]:
        from trainer.word2vec.index import Index

        index, vocabulary = Index(self._directory), self._vocabulary()
        found = self._call("vectors", words=words)
        # One more, because each word is its own nearest neighbor.
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
            from trainer.vectors.vector_reading import read_metadata

            self._words = read_metadata(f"{self._directory}/metadata.tsv")
        return self._words

    def _call(self, signature: str, *, k: int | None = None, **words: Sequence[str]) -> dict[str, Any]:
        import tensorflow as tf

        given = {name: tf.constant(list(value), tf.string) for name, value in words.items()}
        if k is not None:
            given["k"] = tf.constant(k, tf.int32)
        return {name: value.numpy() for name, value in self._loaded.signatures[signature](**given).items()}


def _ranked(words: Iterable[str], cosines: Iterable[object]) -> list[dict[str, Any]]:
    """Pairs answers with their cosines, without blank answers."""
    pairs = zip(words, cosines, strict=True)
    return [{"word": word, "similarity": shortest(cosine)} for word, cosine in pairs if word]
