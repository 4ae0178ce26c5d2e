"""Blocks of windows against plain listings of pairs, and passes over a split."""

import math

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trainer.word2vec import windows
from trainer.word2vec.sampling import NoiseTable
from trainer.word2vec.settings import Word2vecSettings
from trainer.word2vec.windows import BLOCK, LOOK_BACK, REPEATS, WindowTable

WORDS = 6
# Reserved words, six words from 4 on, and buckets of unknown words.
IDS = st.integers(0, 12)
DOCUMENTS = st.lists(st.lists(IDS, max_size=40), max_size=6)
# Words of a step, steps that are read together, and words in them.
STEP_TOKENS, STEPS = 16, 64
PART = STEP_TOKENS * STEPS
IMPROBABLE = 1e-3


def listed(documents: list[list[int]], boundary: str) -> list[tuple[int, tuple[int, int], int]]:
    """The row of each word that has a vector, the group that no window crosses, and the document."""
    found = []
    for number, document in enumerate(documents):
        segment = 0
        for token in document:
            if boundary == "segment" and token in (2, 3):
                segment += 1
            if 4 <= token < 4 + WORDS:
                found.append((token - 4, (number, segment), number))
    return found


def pairs_of(text: list[tuple], reach: list[int]) -> list[tuple[int, int]]:
    """The index of each word with that of every other word in its window."""
    found = []
    for center, (_, group, _) in enumerate(text):
        around = range(max(center - reach[center], 0), min(center + reach[center] + 1, len(text)))
        found += [(center, other) for other in around if other != center and text[other][1] == group]
    return found


def pairs_in(step: windows.StepTensors, window: int) -> list[tuple[int, int]]:
    """The same from blocks, which must have the words of these indices."""
    mask = WindowTable(window)(step).numpy()
    contexts, rows = np.array(step["contexts"]), np.array(step["centers"]).ravel()
    assert np.isin(mask, [0, 1]).all()
    found = []
    for block, place, column in np.argwhere(mask):
        other = block * BLOCK + column - window
        assert contexts[block, column] == rows[other]
        found.append((int(block * BLOCK + place), int(other)))
    return found


def ragged(documents: list[list[int]]) -> tf.RaggedTensor:
    values = [token for document in documents for token in document]
    return tf.RaggedTensor.from_row_lengths(
        tf.constant(values, tf.int64), tf.constant([*map(len, documents)], tf.int64)
    )


@hypothesis.settings(max_examples=50)
@given(DOCUMENTS, st.sampled_from([1, 2, 5, 7, 20]), st.sampled_from(["document", "segment"]), st.randoms())
def test_windows_hold_the_surrounding_words_of_the_document_or_segment(documents, window, boundary, random) -> None:
    text = listed(documents, boundary)
    rows, groups, of_document = windows.word_rows(ragged(documents), WORDS, boundary)
    assert rows.numpy().tolist() == [row for row, _, _ in text]
    assert of_document.numpy().tolist() == [number for _, _, number in text]
    # No two stretches of text share a number.
    assert (np.diff(groups) >= 0).all()
    assert len(set(groups.numpy())) == len({group for _, group, _ in text})
    reach = [random.randint(1, window) for _ in text]
    missing = -len(text) % BLOCK
    left, right = windows.extents(groups, tf.constant(reach, tf.int32), missing)
    step = windows.frames(tf.pad(rows, [[0, missing]]), left, right, window)
    assert step["contexts"].shape == (len(left) // BLOCK, BLOCK + 2 * window)
    expected = pairs_of(text, reach)
    assert pairs_in(step, window) == expected
    with_window = {center for center, _ in expected}
    assert windows.predictions(step, "skipgram").numpy().sum() == len(expected)
    predicted = windows.predictions(step, "cbow").numpy().ravel()
    assert predicted.tolist() == [float(place in with_window) for place in range(len(left))]


@hypothesis.settings(max_examples=50)
@given(st.lists(st.sampled_from([*[0] * 6, *range(1, 12)]), max_size=200))
def test_a_word_that_occurs_often_just_before_is_left_out(rows: list[int]) -> None:
    kept = [n for n, row in enumerate(rows) if rows[max(n - LOOK_BACK, 0) : n].count(row) < REPEATS]
    found = windows.without_repeats(tf.constant(rows, tf.int32), tf.range(len(rows), dtype=tf.int64))
    assert found[0].numpy().tolist() == [rows[n] for n in kept]
    assert found[1].numpy().tolist() == kept


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory, write_transformed):
    """A function that writes documents of ids and reads a pass over them, all steps one after the other."""

    def read(documents: list[list[int]], keep: np.ndarray, epoch: int = 0, **values) -> dict[str, np.ndarray]:
        folder = tmp_path_factory.mktemp("examples")
        for shard in range(3):
            records = [{"id": b"%d" % n, "tokens": document} for n, document in enumerate(documents[shard::3])]
            write_transformed(folder / f"data_tfrecord-{shard}.gz", records, label=False)
        settings = Word2vecSettings.model_validate({"step_tokens": STEP_TOKENS, "subsample": None, **values})
        noise = NoiseTable(np.arange(len(keep), 0, -1), 0.75)
        found = list(windows.steps(str(folder), settings, tf.constant(keep, tf.float32), noise, [epoch]))
        assert all(number == epoch for number, _ in found)
        chunks = [chunk for _, chunk in found]
        assert all(chunk["left"].shape == (STEPS, STEP_TOKENS // BLOCK, BLOCK) for chunk in chunks)
        joined = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]} if chunks else {}
        return {name: values.reshape(-1, *values.shape[2:]) for name, values in joined.items()}

    return read


def distinct_documents() -> list[list[int]]:
    """Documents without common words, so that each is identifiable; one is empty, and one has a single word."""
    lengths, first, documents = [0, 1, *np.random.default_rng(1).integers(0, 80, 70)], 4, []
    for length in lengths:
        documents.append(list(range(first, first + length)))
        first += length
    assert 2 * PART < first < 3 * PART
    return documents


TEXT = distinct_documents()
VOCABULARY = sum(map(len, TEXT))


@pytest.fixture(scope="module")
def one_pass(read) -> dict[str, np.ndarray]:
    return read(TEXT, np.ones(VOCABULARY), window=4, shared_negatives=7)


def require_windows_of(step: dict[str, np.ndarray], documents: list[list[int]], window: int) -> None:
    """Requires exactly these documents in a pass, each complete, then no windows up to the end of a part."""
    centers, left, right = (step[name].ravel() for name in ("centers", "left", "right"))
    total = sum(map(len, documents))
    assert len(centers) == -(-total // PART) * PART
    assert not any(values[total:].any() for values in (centers, left, right))
    starts = {document[0]: document for document in documents if document}
    text: list[tuple] = []
    while len(text) < total:
        first = len(text)
        document = starts.pop(int(centers[first]) + 4)
        assert (centers[first : first + len(document)] + 4).tolist() == document
        # No window reaches from one part into the next.
        text += [(None, (document[0], place // PART), None) for place in range(first, first + len(document))]
    assert not starts
    reach = np.maximum(left, right).tolist()
    assert max(reach) <= window
    assert pairs_in(step, window) == pairs_of(text, reach)


def test_a_pass_has_every_document_once_with_random_windows_and_negatives(one_pass) -> None:
    require_windows_of(one_pass, TEXT, 4)
    left, right = one_pass["left"].ravel(), one_pass["right"].ravel()
    starts = np.flatnonzero(left[:VOCABULARY] == 0)
    whole = [p for p in range(VOCABULARY - 4) if p % PART >= 4 and not (set(range(p - 3, p + 5)) & set(starts))]
    np.testing.assert_array_equal(left[whole], right[whole])
    sizes = np.bincount(left[whole], minlength=5)
    assert len(whole) > 1_000
    assert sizes[0] == 0
    assert stats.chisquare(sizes[1:]).pvalue > IMPROBABLE
    noise = one_pass["noise"]
    assert noise.shape == (one_pass["centers"].size // math.gcd(STEP_TOKENS, 64), 7)
    assert noise.dtype == np.int32
    assert len(np.unique(noise, axis=0)) == len(noise)
    assert 0 <= noise.min() < noise.max() < VOCABULARY


def test_a_pass_depends_only_on_seed_and_epoch(read, one_pass) -> None:
    values = {"window": 4, "shared_negatives": 7}
    tf.random.set_seed(7)
    again = read(TEXT, np.ones(VOCABULARY), **values)
    others = [read(TEXT, np.ones(VOCABULARY), **values, **other) for other in ({"epoch": 1}, {"seed": 2})]
    for name, expected in one_pass.items():
        assert again[name].tobytes() == expected.tobytes()
        found = {other[name].tobytes() for other in others}
        assert len(found | {expected.tobytes()}) == 3


def test_full_windows_span_words_that_are_left_out(read) -> None:
    keep = np.tile([1, 0, 0.3, 1], VOCABULARY)[:VOCABULARY]
    step = read(TEXT, keep, window=3, window_reduction=False)
    found = {*step["centers"].ravel()[: np.flatnonzero(step["left"].ravel())[-1] + 1].tolist()}
    assert found & {*np.flatnonzero(keep == 0)} == set()
    assert found >= {*np.flatnonzero(keep == 1)}
    doubtful = {*np.flatnonzero(keep == 0.3)}
    assert stats.binomtest(len(found & doubtful), len(doubtful), 0.3).pvalue > IMPROBABLE
    require_windows_of(step, [[token for token in document if token - 4 in found] for document in TEXT], 3)
    inner = np.minimum(step["left"], step["right"])
    assert (inner == 3).mean() > 0.5


def test_documents_in_separate_windows_stay_separate(read) -> None:
    """More than are read together, most of them empty, so that one part holds them all."""
    documents = [[4 + n, 5 + n] if n % 4 == 0 else [] for n in range(1_500)]
    step = read(documents, np.ones(1_500), window=3, window_reduction=False)
    require_windows_of(step, documents, 3)
    assert len(pairs_in(step, 3)) == 750


@pytest.mark.parametrize("boundary", ["document", "segment"])
def test_a_corpus_may_be_smaller_than_a_window(boundary: str, read) -> None:
    """Marks, repeats, unknown words, documents without words."""
    documents = [[2, 4, 1, 5, 3, 2, 6, 99, 7, 3], [], [8], [1, 0, 99], [9] * 50 + [10], []]
    step = read(documents, np.ones(7), window=9, window_reduction=False, boundary=boundary)
    assert len(step["centers"]) == STEPS * STEP_TOKENS // BLOCK
    rows = step["centers"].ravel()
    assert sorted(rows[:10]) == [0, 1, 2, 3, 4, 5, 5, 5, 5, 6]
    found = sorted((rows[center], rows[other]) for center, other in pairs_in(step, 9))
    stretches = [[0, 1, 2, 3]] if boundary == "document" else [[0, 1], [2, 3]]
    stretches += [[5] * REPEATS + [6]]
    expected = [(a, b) for s in stretches for n, a in enumerate(s) for m, b in enumerate(s) if n != m]
    assert found == sorted(expected)


def test_a_split_without_words_has_no_steps(read) -> None:
    assert read([[], [1, 0, 99], []], np.ones(4)) == {}
