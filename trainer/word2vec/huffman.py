"""The binary tree of hierarchical softmax, in which frequent words have short codes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class HuffmanTree:
    """A Huffman tree of words (Mikolov et al. 2013, "Distributed Representations of Words and Phrases", section 2.1).

    Step s of a word's path from the root leaves the inner node `points[word, s]` by the branch `codes[word, s]`.
    The tree has one inner node fewer than words; the root is the last.

    Attributes:
        codes: Branches, 0 or 1, uint8 [words, depth]; 0 after the end of a path.
        points: Inner nodes, int32 [words, depth]; 0 after the end of a path.
        lengths: Steps of each path, int32 [words]; 0 for a vocabulary of a single word.
    """

    codes: NDArray[np.uint8]
    points: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @classmethod
    def from_counts(cls, counts: NDArray[np.int64]) -> HuffmanTree:
        """Builds the tree from occurrences, int64 [words], in any order, at least one.

        Ties are deterministic: inner nodes are joined before words, and words from the last.
        """
        words = len(counts)
        order = np.argsort(-counts, kind="stable")
        parents, branches = _merge(counts[order].tolist())
        root = 2 * words - 2
        ascent, nodes = [], np.arange(words)
        while (nodes != root).any():
            ascent.append(nodes)
            nodes = parents[nodes]
        lengths = sum((nodes != root for nodes in ascent), start=np.zeros(words, np.int32))
        codes, points = np.zeros((words, len(ascent)), np.uint8), np.zeros((words, len(ascent)), np.int32)
        for step, nodes in enumerate(ascent):
            below = nodes != root
            place = order[below], lengths[below] - 1 - step
            codes[place] = branches[nodes[below]]
            points[place] = parents[nodes[below]] - words
        return cls(codes, points, lengths[np.argsort(order)])


def _merge(falling: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Joins the two lightest nodes until one is left, like word2vec.c's `CreateBinaryTree`, in linear time.

    Inner nodes are created in order of increasing weight, so the lightest node is always the last of the remaining
    words or the first of the remaining inner nodes.

    Args:
        falling: Decreasing counts of the words.

    Returns:
        Parent of each node, int64 [2 * words - 1], the root's being itself, and whether it is the heavier child,
        uint8. Words come first, then inner nodes in order of creation, the root last.
    """
    words = len(falling)
    weights = list(falling)
    parents, branches = np.arange(2 * words - 1), np.zeros(2 * words - 1, np.uint8)
    word, inner = words - 1, words
    for node in range(words, 2 * words - 1):
        children = []
        for _ in range(2):
            if word >= 0 and (inner >= node or weights[word] < weights[inner]):
                children.append(word)
                word -= 1
            else:
                children.append(inner)
                inner += 1
        weights.append(weights[children[0]] + weights[children[1]])
        parents[children] = node
        branches[children[1]] = 1
    return parents, branches
