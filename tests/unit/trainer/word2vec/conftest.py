"""word2vec by pairs, one after the other, in NumPy: the expected result of training in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest


def softplus(value: float) -> float:
    return float(np.logaddexp(0, value))


def sigmoid(value: float) -> float:
    return float(np.exp(-np.logaddexp(0, -value)))


class PairByPair:
    """Tables in float64 [rows, dimensions] and steps on them; `parts` are the rows whose mean is a word's vector."""

    def __init__(self, settings, counts, inputs, outputs, parts: Sequence[Sequence[int]] | None = None) -> None:
        from trainer.word2vec.huffman import HuffmanTree

        self.settings, self.inputs, self.outputs = settings, np.array(inputs, float), np.array(outputs, float)
        self.parts = parts or [[row] for row in range(len(counts))]
        tree = HuffmanTree.from_counts(np.array(counts))
        self._paths = [
            list(zip(points[:length].tolist(), codes[:length].tolist(), strict=True))
            for points, codes, length in zip(tree.points, tree.codes, tree.lengths, strict=True)
        ]

    def vector(self, word: int) -> np.ndarray:
        return self.inputs[self.parts[word]].mean(axis=0)

    def step(self, rows, left, right, noise, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the loss of each word, [n], and the updates of both tables.

        `rows`, `left` and `right` are words and the sizes of their windows, [n]; `noise` are negatives,
        [groups, negatives], which the n / groups words of a group share.
        """
        losses, inputs, outputs = np.zeros(len(rows)), np.zeros_like(self.inputs), np.zeros_like(self.outputs)
        for place in range(len(rows)):
            window = [rows[p] for p in range(place - left[place], place + right[place] + 1) if p != place]
            for given, targets in self._predictions(rows[place], window, noise[place * len(noise) // len(rows)]):
                mean = np.mean([self.vector(word) for word in given], axis=0)
                delta = np.zeros_like(mean)
                for row, label, weight in targets:
                    logit = mean @ self.outputs[row]
                    losses[place] += weight * softplus(-logit if label else logit)
                    slope = rate * weight * (label - sigmoid(logit))
                    delta += slope * self.outputs[row]
                    outputs[row] += slope * mean
                for word in given:
                    for part in self.parts[word]:
                        inputs[part] += delta
        return losses, inputs, outputs

    def train(self, rows, left, right, noise, rate: float) -> np.ndarray:
        """Takes a step and returns the loss of each word before it."""
        losses, inputs, outputs = self.step(rows, left, right, noise, rate)
        self.inputs += inputs
        self.outputs += outputs
        return losses

    def _predictions(self, center: int, window: list[int], noise) -> Iterator[tuple[list[int], list]]:
        """Words whose mean predicts, and the rows of outputs that it predicts, each with its label and weight."""
        share, few_words = self.settings.negatives / len(noise), len(self.parts) < 1_000

        def targets(predicted: int) -> list:
            negatives = [word for word in noise if word != predicted or not few_words]
            return [(predicted, 1, 1.0), *((word, 0, share) for word in negatives)]

        path = [(node, 1 - code, 1.0) for node, code in self._paths[center]]
        hierarchical = self.settings.loss == "hierarchical_softmax"
        if self.settings.model == "cbow":
            if window:
                yield window, path if hierarchical else targets(center)
            return
        for other in window:
            # word2vec.c's direction: with a tree the neighbor predicts the word.
            yield ([other], path) if hierarchical else ([center], targets(other))


@pytest.fixture(scope="session")
def judgement_record() -> Callable[..., bytes]:
    """A function that makes a record of a task: a document of text, or words to compare."""
    import tensorflow as tf

    def record(task: str, tokens: Sequence[str] = (), text: Sequence[str] = (), name: str = "r") -> bytes:
        example = tf.train.SequenceExample()
        for key, value in {"id": name, "source": "set", "task": task, "section": "set"}.items():
            example.context.feature[key].bytes_list.value.append(value.encode())
        example.context.feature["score"].float_list.value.append(0.5)
        example.context.feature["gates"].int64_list.value.append(1)
        for key, steps in (("tokens", tokens), ("text", text)):
            for step in steps:
                example.feature_lists.feature_list[key].feature.add().bytes_list.value.append(step.encode())
        return example.SerializeToString()

    return record


@pytest.fixture(scope="session")
def pair_by_pair() -> type[PairByPair]:
    return PairByPair
