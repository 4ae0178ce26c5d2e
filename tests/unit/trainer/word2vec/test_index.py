"""The approximate index against the exact search."""

import sys
from pathlib import Path

import numpy as np
import pytest

from trainer.errors import JobError
from trainer.word2vec import index


def vectors(words: int) -> np.ndarray:
    """Vectors as a corpus gives them: many dimensions, few of which matter."""
    random = np.random.default_rng(1)
    return (random.normal(size=(words, 8)) @ random.normal(size=(8, 24))).astype(np.float32)


def exact(table: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    cosines = (queries / np.linalg.norm(queries, axis=1, keepdims=True)) @ (
        table / np.linalg.norm(table, axis=1, keepdims=True)
    ).T
    rows = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(cosines, rows, axis=1), rows


def test_the_recall_compares_the_file_with_the_exact_search(tmp_path: Path) -> None:
    table = vectors(700)
    recall = index.write(str(tmp_path), table)
    content = (tmp_path / index.FILE).read_bytes()
    assert index.write(str(tmp_path), table) == recall
    assert (tmp_path / index.FILE).read_bytes() == content
    assert 0.8 < recall <= 1
    _, found = index.Index(str(tmp_path)).search(table, 11)
    _, expected = exact(table, table, 11)
    hits = [
        len(set([other for other in near if other != word][:10]) & set(right.tolist()) - {word})
        for word, (near, right) in enumerate(zip(found.tolist(), expected, strict=True))
    ]
    assert recall == pytest.approx(np.mean(hits) / 10)


def test_cosines_are_exact(tmp_path: Path) -> None:
    table, queries = vectors(300), vectors(320)[300:] * 5
    index.write(str(tmp_path), table)
    similarity, rows = index.Index(str(tmp_path)).search(queries, 5)
    assert similarity.shape == rows.shape == (20, 5)
    assert similarity.dtype == np.float32
    all_cosines, order = exact(table, queries, 300)
    for query in range(20):
        cosines = dict(zip(order[query].tolist(), all_cosines[query], strict=True))
        np.testing.assert_allclose(similarity[query], [cosines[row] for row in rows[query]], atol=1e-5)
        assert (np.diff(similarity[query]) <= 0).all()


@pytest.mark.parametrize("words", [1, 2, 11])
def test_few_words_are_all_found(tmp_path: Path, words: int) -> None:
    assert index.write(str(tmp_path), vectors(words)) == 1
    _, rows = index.Index(str(tmp_path)).search(vectors(words), 12)
    assert [sorted(row for row in found if row >= 0) for found in rows.tolist()] == [list(range(words))] * words


def test_a_missing_or_broken_index_is_reported(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no index") as caught:
        index.Index(str(tmp_path))
    assert caught.value.where == str(tmp_path / index.FILE)
    (tmp_path / index.FILE).write_bytes(b"no index")
    with pytest.raises(JobError, match="cannot be loaded"):
        index.Index(str(tmp_path))


def test_without_faiss_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    for call in (lambda: index.write(str(tmp_path), vectors(2)), lambda: index.Index("none")):
        with pytest.raises(JobError, match="The package faiss-cpu is not installed") as caught:
            call()
        assert 'pip install "seqloom[index]"' in caught.value.fix
