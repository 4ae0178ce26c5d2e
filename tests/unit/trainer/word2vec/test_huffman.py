"""Huffman trees against a priority queue."""

import heapq

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from trainer.word2vec.huffman import HuffmanTree

COUNTS = st.lists(st.integers(0, 60) | st.integers(0, 10**12), min_size=1, max_size=60)


def codes(tree: HuffmanTree) -> list[tuple[int, ...]]:
    return [tuple(row[:length]) for row, length in zip(tree.codes.tolist(), tree.lengths.tolist(), strict=True)]


def points(tree: HuffmanTree) -> list[tuple[int, ...]]:
    return [tuple(row[:length]) for row, length in zip(tree.points.tolist(), tree.lengths.tolist(), strict=True)]


def test_a_tree_worked_out_by_hand() -> None:
    # 1 + 2 = 3 is node 0, 3 + 4 = 7 node 1, 7 + 9 = 16 the root; the heavier child has 1.
    tree = HuffmanTree.from_counts(np.array([9, 4, 2, 1]))
    assert codes(tree) == [(1,), (0, 1), (0, 0, 1), (0, 0, 0)]
    assert points(tree) == [(2,), (2, 1), (2, 1, 0), (2, 1, 0)]
    assert tree.lengths.tolist() == [1, 2, 3, 3]
    assert (tree.codes.dtype, tree.points.dtype, tree.lengths.dtype) == (np.uint8, np.int32, np.int32)


@given(COUNTS)
@example([5])
@example([5] * 64)
def test_codes_are_the_shortest_prefix_free_ones_of_one_tree(counts: list[int]) -> None:
    tree, words = HuffmanTree.from_counts(np.array(counts)), len(counts)
    found = sorted(codes(tree))
    assert all(found[row + 1][: len(code)] != code for row, code in enumerate(found[:-1]))
    assert sum(2.0 ** -len(code) for code in found) == 1
    # The summed weight of all inner nodes is the summed length of all occurrences' codes.
    heap, cost = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        cost += joined
        heapq.heappush(heap, joined)
    assert sum(count * length for count, length in zip(counts, tree.lengths.tolist(), strict=True)) == cost
    prefixes: dict[int, tuple[int, ...]] = {}
    for code, path in zip(codes(tree), points(tree), strict=True):
        assert path[:1] in {(), (words - 2,)}
        for step, node in enumerate(path):
            assert prefixes.setdefault(node, code[:step]) == code[:step]
    assert sorted(prefixes) == list(range(words - 1))
    assert len(set(prefixes.values())) == words - 1
    assert tree.codes.shape == tree.points.shape == (words, tree.lengths.max())
    after = np.arange(tree.codes.shape[1]) >= tree.lengths[:, None]
    assert not tree.codes[after].any()
    assert not tree.points[after].any()


@given(st.lists(st.integers(0, 60), min_size=1, max_size=60), st.randoms())
def test_the_order_of_words_of_different_counts_does_not_matter(counts: list[int], random_) -> None:
    falling = sorted(set(counts), reverse=True)
    shuffled = random_.sample(falling, len(falling))
    by_count = dict(zip(falling, codes(HuffmanTree.from_counts(np.array(falling))), strict=True))
    assert codes(HuffmanTree.from_counts(np.array(shuffled))) == [by_count[count] for count in shuffled]


def test_a_degenerate_tree_is_a_chain() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 80:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    tree = HuffmanTree.from_counts(np.array(fibonacci))
    assert sorted(tree.lengths.tolist()) == [*range(1, 79), 79, 79]
