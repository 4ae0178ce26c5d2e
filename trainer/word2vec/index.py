"""An approximate index of neighbors (HNSW) with faiss."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.errors import JobError
from trainer.text.normalization import missing_extra

FILE = "neighbors.faiss"

_RECALL_AT = 10
_SAMPLE, _BLOCK = 1_000, 100
_SEED = 1
# Malkov and Yashunin 2018, "Efficient and Robust Approximate Nearest Neighbor Search", sections 4.1 and 5: links per
# word, candidates while building and while searching.
_HNSW_LINKS, _HNSW_BUILD, _HNSW_SEARCH = 32, 80, 128


class Index:
    """The index of a published model.

    Args:
        directory: The SavedModel that `write` added an index to.

    Raises:
        JobError: If the model has no index, or faiss is not installed.
    """

    def __init__(self, directory: str) -> None:
        path, faiss = f"{directory}/{FILE}", _faiss()
        try:
            with tf.io.gfile.GFile(path, "rb") as file:
                content = np.frombuffer(file.read(), np.uint8)
            self._index = faiss.deserialize_index(content)
        except tf.errors.NotFoundError:
            fix = "set trainer.index: hnsw and rerun the job, or search without the index"
            raise JobError("The model has no index of neighbors.", where=path, found="no such file", fix=fix) from None
        except RuntimeError as error:
            raise JobError("The index cannot be loaded.", where=path, found=str(error).partition("\n")[0]) from error

    def search(self, vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Finds the approximate k nearest rows by cosine of vectors, float32 [n, dimensions].

        Returns:
            Cosines, float32 [n, k], decreasing, and rows, int64 [n, k], -1 if fewer were found.
        """
        found: tuple[NDArray[np.float32], NDArray[np.int64]] = self._index.search(_unit(vectors), k)
        return found


def write(directory: str, vectors: NDArray[np.float32]) -> float:
    """Builds a deterministic index of neighbors by cosine and writes it into a SavedModel's directory.

    Args:
        directory: The SavedModel.
        vectors: float32 [words, dimensions].

    Returns:
        Its recall@10, 0 to 1: the mean share of the ten nearest words that it finds, over at most 1,000 words.

    Raises:
        JobError: If faiss is not installed.
    """
    faiss = _faiss()
    units = _unit(vectors)
    with _one_thread(faiss):
        index = faiss.IndexHNSWFlat(units.shape[1], _HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = _HNSW_BUILD, _HNSW_SEARCH
        index.add(units)
        with tf.io.gfile.GFile(f"{directory}/{FILE}", "wb") as file:
            file.write(faiss.serialize_index(index).tobytes())
        return _recall(index, units)


def _recall(index: Any, units: NDArray[np.float32]) -> float:
    """Compares with the exact search, excluding the word itself."""
    words = len(units)
    k = min(_RECALL_AT, words - 1)
    if k == 0:
        return 1.0
    sample = np.random.default_rng(_SEED).choice(words, min(_SAMPLE, words), replace=False)
    hits = 0
    for part in np.array_split(sample, -(-len(sample) // _BLOCK)):
        similarity = units[part] @ units.T
        similarity[np.arange(len(part)), part] = -np.inf
        exact = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        _, found = index.search(units[part], k + 1)
        for word, near, expected in zip(part, found, exact, strict=True):
            hits += len(np.intersect1d(near[near != word][:k], expected))
    return hits / (k * len(sample))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.where(length == 0, 1, length), np.float32)


@contextlib.contextmanager
def _one_thread(faiss: ModuleType) -> Iterator[None]:
    """Keeps faiss on one thread, so that it builds the same index every time."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _faiss() -> ModuleType:
    try:
        import faiss
    except ImportError as error:
        raise missing_extra("trainer.index", "faiss-cpu", "index") from error
    module: ModuleType = faiss
    return module
