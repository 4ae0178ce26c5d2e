"""The SavedModel of word vectors: vectors, neighbors, similarities and analogies of words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.jobs import progress
from trainer.settings import TransformSettings
from trainer.text.normalization import register_operations
from trainer.vectors import vector_files
from trainer.vectors.judgement import judge_records
from trainer.vectors.lookup import ABSENT, WordLookup
from trainer.vectors.nearest import VectorTable, cosine, unit
from trainer.word2vec import character_ngrams, index
from trainer.word2vec.settings import CharacterNgramSettings, Word2vecSettings

HeldOutLoss = Callable[[tf.RaggedTensor], tuple[tf.Tensor, tf.Tensor]]
"""From ids, ragged int64 [documents, time], to the documents' summed losses of pairs of words, in nats, and their
numbers of pairs, float32 [documents] each."""

_K = tf.TensorSpec([], tf.int32, "k")


def _texts(*names: str) -> list[tf.TensorSpec]:
    return [tf.TensorSpec([None], tf.string, name) for name in names]


class WordVectorsServable(tf.Module):
    """Word vectors and the transform graph of their data.

    Words in queries are normalized like the corpus, so that `Film` finds `film`. The answers for unknown words are
    zeros and empty strings or, with n-grams, those of the mean of their n-grams.

    Args:
        words: Unique words in the order of their rows.
        input_vectors: Their vectors, float32 [words, dimensions].
        output_vectors: Output vectors from training, float32 [rows, dimensions]; None leaves them out.
        counts: Occurrences of the words.
        settings: The trainer section of the configuration.
        transform_graph: The transform graph's SavedModel directory.
        transform_settings: The transform section of the configuration.
        heldout: Measures held-out documents; called while saving, so that it may use this object's vectors.
        ngram_vectors: Vectors of n-grams, float32 [buckets, dimensions], if `settings.ngrams` is set.
    """

    def __init__(
        self,
        words: Sequence[str],
        input_vectors: NDArray[np.float32],
        output_vectors: NDArray[np.float32] | None,
        counts: Sequence[int],
        settings: Word2vecSettings,
        transform_graph: str,
        transform_settings: TransformSettings,
        heldout: HeldOutLoss,
        ngram_vectors: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(name="servable")
        self._words, self._counts = np.array(words, object), np.array(counts, np.int64)
        self._settings, self._transform_settings, self._heldout = settings, transform_settings, heldout
        self._lookup = WordLookup(words, transform_settings)
        self._table = VectorTable(input_vectors)
        self.input_vectors = self._table.vectors
        self.output_vectors = None if output_vectors is None else tf.Variable(output_vectors, trainable=False)
        self._ngrams = None if ngram_vectors is None else tf.Variable(ngram_vectors, trainable=False)
        register_operations()
        self._transform = tf.saved_model.load(transform_graph)

    @tf.function(input_signature=_texts("words"))
    def vectors(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `vectors` float32 [n, dimensions], `known` bool [n], and `word` string [n], the known spelling."""
        vectors, rows = self._find(words)
        return {"vectors": vectors, "known": rows != ABSENT, "word": self._lookup.names(rows)}

    @tf.function(input_signature=[*_texts("words"), _K])
    def neighbors(self, words: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """Finds the other words with the greatest cosine with each of the words, string [n].

        Returns:
            `neighbors` string and `similarity` float32 [n, k], with k limited to the number of other words, and
            `known` bool [n].
        """
        vectors, rows = self._find(words)
        k = tf.clip_by_value(k, 0, self._table.size - 1)
        names, similarity = self._nearest(vectors, tf.expand_dims(rows, 1), k, _any(vectors))
        return {"neighbors": names, "similarity": similarity, "known": rows != ABSENT}

    @tf.function(input_signature=_texts("a", "b"))
    def similarity(self, a: tf.Tensor, b: tf.Tensor) -> dict[str, tf.Tensor]:
        """Compares pairs of words, string [n] each: `similarity`, the cosine, float32 [n], and `known` bool [n]."""
        (of_a, a_rows), (of_b, b_rows) = self._find(a), self._find(b)
        return {"similarity": cosine(of_a, of_b), "known": (a_rows != ABSENT) & (b_rows != ABSENT)}

    @tf.function(input_signature=[*_texts("a", "b", "c"), _K])
    def analogy(self, a: tf.Tensor, b: tf.Tensor, c: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """Solves a : b = c : x, string [n] each, by 3CosAdd on vectors of length 1; a, b and c are not answers.

        Mikolov et al. 2013, "Linguistic Regularities in Continuous Space Word Representations", section 5.

        Returns:
            `answers` string and `similarity` float32 [n, k], with k limited to the number of words less three, and
            `known` bool [n].
        """
        (of_a, of_b, of_c), rows = zip(*(self._find(words) for words in (a, b, c)), strict=True)
        excluded = tf.stack(rows, axis=1)
        k = tf.clip_by_value(k, 0, max(self._table.size - 3, 0))
        possible = _any(of_a) & _any(of_b) & _any(of_c)
        names, similarity = self._nearest(unit(of_b) - unit(of_a) + unit(of_c), excluded, k, possible)
        return {"answers": names, "similarity": similarity, "known": tf.reduce_all(excluded != ABSENT, axis=1)}

    @tf.function(input_signature=_texts("examples"))
    def judge(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers serialized judgement records, string [n], with `judge_records`."""
        return judge_records(examples, self._lookup, self._table, self._measure)

    def save(self, directory: str) -> float | None:
        """Writes the SavedModel, with a signature per method, `vectors` also as `serving_default`, and other formats.

        These are `vectors.txt` and `vectors.bin` for gensim and others, `vectors.tsv` and `metadata.tsv` for
        TensorBoard's projector, `counts.txt` with words and counts, and `neighbors.faiss`, the optional index.

        Returns:
            The recall@10 of the index, or None without an index.
        """
        names = ("vectors", "neighbors", "similarity", "analogy", "judge")
        signatures = {name: getattr(self, name) for name in names}
        # A SavedModel needs all variables as attributes, including those that only `heldout` uses.
        self._measured_with = list(self.judge.get_concrete_function().graph.variables)
        progress.working("export")
        tf.saved_model.save(self, directory, {**signatures, "serving_default": self.vectors})
        self._write_files(directory)
        return None if self._settings.index is None else index.write(directory, self.input_vectors.numpy())

    def digest(self) -> str:
        """Returns a hexadecimal digest of everything that determines the answers except the code."""
        settings = self._settings.model_dump(include={"ngrams", "index"})
        parts = [settings, self._transform_settings.model_dump(), self._words.tolist()]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
        for variable in (self.input_vectors, self.output_vectors, self._ngrams):
            if variable is not None:
                digest.update(variable.numpy().tobytes())
        return digest.hexdigest()

    def _write_files(self, directory: str) -> None:
        vectors = vector_files.WordVectors(self._words.tolist(), self.input_vectors.numpy())
        vector_files.write_text(f"{directory}/vectors.txt", vectors)
        vector_files.write_binary(f"{directory}/vectors.bin", vectors)
        vector_files.write_projector(directory, vectors, self._counts.tolist())
        with tf.io.gfile.GFile(f"{directory}/counts.txt", "w") as file:
            pairs = zip(self._words, self._counts, strict=True)
            file.write("".join(f"{vector_files.escape(word)} {count}\n" for word, count in pairs))

    def _find(self, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the vectors of words, float32 [n, dimensions], and their rows, int64 [n]."""
        rows = self._lookup.rows(words)
        vectors = self._table.take(rows)
        if self._ngrams is not None:
            unknown = rows == ABSENT
            composed = self._compose(tf.where(unknown, self._lookup.normalized(words), ""))
            vectors = tf.where(tf.expand_dims(unknown, 1), composed, vectors)
        return vectors, rows

    def _compose(self, words: tf.Tensor) -> tf.Tensor:
        """Averages the vectors of the words' n-grams, float32 [n, dimensions]; zeros for words without n-grams."""
        buckets = character_ngrams.lookup(words, cast(CharacterNgramSettings, self._settings.ngrams))
        gathered = tf.gather(self._ngrams, buckets.values)
        sums = tf.math.unsorted_segment_sum(gathered, buckets.value_rowids(), buckets.nrows())
        lengths = tf.cast(buckets.row_lengths(), tf.float32)
        return tf.math.divide_no_nan(sums, tf.expand_dims(lengths, 1))

    def _nearest(
        self, queries: tf.Tensor, excluded: tf.Tensor, k: tf.Tensor, possible: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the nearest words and their cosines, [n, k] each, blank unless `possible`, bool [n]."""
        similarity, rows = self._table.nearest(queries, excluded, k)
        possible = tf.expand_dims(possible, 1)
        return tf.where(possible, self._lookup.names(rows), ""), tf.where(possible, similarity, 0.0)

    def _measure(self, raw: f.Features) -> tuple[tf.Tensor, tf.Tensor]:
        """Measures raw documents; other inputs of the transform graph, for example labels, have no effect here."""
        blank = tf.fill(tf.shape(raw[f.ID]), "")
        (inputs,), _ = self._transform.transform_fn.structured_input_signature
        return self._heldout(self._transform.transform_fn({name: raw.get(name, blank) for name in inputs})[f.TOKENS])


def _any(vectors: tf.Tensor) -> tf.Tensor:
    """Returns which vectors, [n, dimensions], are not zeros, bool [n]."""
    return tf.reduce_any(vectors != 0, axis=-1)
