"""The corpus of the word-vector benchmark: found, repeated, as text."""

from pathlib import Path

import pytest
import tensorflow as tf

from bench.vectors.word2vec_corpus import Corpus, Transformed, as_text, find, repeat, vocabulary
from trainer.data import parsing, tfrecords

# Some of these words are white space or line breaks to Python.
WORDS = ["the", "film", "\x85", "\u00a0", "\r", "never"]
COUNTS = [9, 5, 3, 2, 2, 0]
DOCUMENTS = [[4, 5, 6, 7, 8], [1, 4, 10, 11, 3], [], [5]]


@pytest.fixture
def root(tmp_path: Path, write_transformed) -> Path:
    """A run with two versions of its artifacts; the newer one is the whole corpus."""
    folder = tmp_path / "artifacts" / "SequenceTransform"
    for version, documents in (("9", DOCUMENTS[:1]), ("10", DOCUMENTS)):
        for split, held in (("Split-train", documents), ("Split-eval", DOCUMENTS[:2])):
            path = folder / "transformed_examples" / version / split / "data_tfrecord-00000-of-00001.gz"
            path.parent.mkdir(parents=True)
            write_transformed(path, [{"id": b"x", "tokens": tokens} for tokens in held], label=False)
        graph = folder / "transform_graph" / version
        graph.mkdir(parents=True)
        lines = ["<pad>", "<unk>", "<bos>", "<eos>", *WORDS]
        (graph / "vocabulary.txt").write_bytes("".join(f"{word}\n" for word in lines).encode())
        (graph / "counts.txt").write_text("".join(f"{count}\n" for count in [0, 0, 0, 0, *COUNTS]))
    return tmp_path


def documents_of(folder: str) -> list[list[int]]:
    return [parsing.tokens(tf.stack([record])).to_list()[0] for record in tfrecords.stream(tfrecords.find(folder))]


def test_the_newest_run_has_words_and_counts_in_the_order_of_the_ids(root: Path) -> None:
    found = find(root)
    assert found.examples.endswith("/transformed_examples/10")
    assert found.graph.endswith("/transform_graph/10")
    assert list(vocabulary(found.graph).items()) == list(zip(WORDS, COUNTS, strict=True))


def test_the_text_is_the_train_split_word_by_word(root: Path, tmp_path: Path) -> None:
    corpus = as_text(find(root), tmp_path / "sentences.txt")
    lines = Path(corpus.sentences).read_bytes().decode().split("\n")
    # Ids after the vocabulary are buckets of unknown words.
    assert lines == ["the film \x85 \u00a0 \r", "<unk> the <unk> <unk> <eos>", "", "film", ""]
    assert (corpus.documents, corpus.tokens) == (4, 11)


def test_a_repeated_corpus_has_each_document_and_each_count_as_often(root: Path, tmp_path: Path) -> None:
    found: Transformed = find(root)
    corpus = Corpus(found.examples, found.graph, "sentences.txt", 4, 11)
    large = repeat(corpus, tmp_path / "large", 3)
    assert (large.documents, large.tokens, large.sentences) == (12, 33, "sentences.txt")
    assert sorted(documents_of(f"{large.examples}/Split-train")) == sorted(DOCUMENTS * 3)
    assert documents_of(f"{large.examples}/Split-eval") == DOCUMENTS[:2]
    assert list(vocabulary(large.graph).values()) == [3 * count for count in COUNTS]
    assert list(vocabulary(corpus.graph).values()) == COUNTS
