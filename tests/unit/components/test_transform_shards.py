"""Transformed shards against tokens, ids and counts computed independently."""

import hashlib
import itertools
import re
import struct
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.sequence_transform import shard_work
from components.sequence_transform.shard_report import ShardReport
from trainer.data import features, kinds
from trainer.settings import OutputSettings, PadSettings, TransformSettings

SETTINGS = {"max_size": 60, "min_count": 2, "truncate": {"to": 24, "keep": "head+tail"}}


def tokenize(text: str) -> list[str]:
    """Enough of the tokenizer for the corpus' words."""
    return re.findall(r"\w+(?:'\w+)*|[^\w\s]", text.lower().replace("<br />", " ").replace("<br>", " "))


def truncate(tokens: list[str]) -> list[str]:
    return tokens if len(tokens) <= 24 else tokens[:6] + tokens[-18:]


def read(path: str) -> list[tf.train.SequenceExample]:
    records = tf.data.TFRecordDataset(path, "GZIP")
    return [tf.train.SequenceExample.FromString(record.numpy()) for record in records]


def tokens(example: tf.train.SequenceExample) -> list[int]:
    return [step.int64_list.value[0] for step in example.feature_lists.feature_list["tokens"].feature]


def context(example: tf.train.SequenceExample, name: str) -> int | bytes:
    feature = example.context.feature[name]
    (value,) = feature.bytes_list.value or feature.int64_list.value
    return value


def checksum(path: str) -> str:
    records = [record.numpy() for record in tf.data.TFRecordDataset(path, "GZIP")]
    return hashlib.sha256(b"".join(struct.pack("<q", len(record)) + record for record in records)).hexdigest()


@pytest.fixture(scope="module")
def vocabulary(corpus) -> list[str]:
    """The vocabulary of the train split, in plain Python."""
    counts = Counter(itertools.chain.from_iterable(words_of(corpus.documents["train"])))
    frequent = [word for word, count in counts.items() if count >= 2]
    return [*features.RESERVED_WORDS, *sorted(frequent, key=lambda word: (-counts[word], word.encode()))[:60]]


def words_of(documents) -> list[list[str]]:
    return [truncate(tokenize(document.segments[0])) for document in documents]


def test_tokens_and_classes_are_counted_by_beam_and_by_shard(corpus) -> None:
    documents, configured = corpus.documents["train"], TransformSettings.model_validate(SETTINGS)
    shard = shard_work.count_shard(corpus.raw["train"][1], configured, kinds.LABELLED_TEXT, None)
    for counts, expected in ((corpus.counts, documents), (vars(shard), documents[30:])):
        assert counts == {
            "tokens": Counter(itertools.chain.from_iterable(words_of(expected))),
            "classes": Counter(document.label for document in expected),
            "documents": len(expected),
        }


def test_every_document_is_written_in_order_with_its_ids(corpus, vocabulary) -> None:
    assert (corpus.graph / "vocabulary.txt").read_text().splitlines() == vocabulary
    assert len(vocabulary) > 40
    ids = {word: number for number, word in enumerate(vocabulary)}
    for split in ("train", "eval"):
        written = [example for path in corpus.transformed[split] for example in read(path)]
        rows = words_of(corpus.documents[split])
        for document, words, example in zip(corpus.documents[split], rows, written, strict=True):
            assert tokens(example) == [ids.get(word, 1) for word in words]
            assert {name: context(example, name) for name in example.context.feature} == {
                **{"id": document.id.encode(), "source": document.source.encode()},
                **{"label": ["negative", "positive"].index(document.label), "length": len(words)},
            }


def test_reports_add_up_to_the_written_files(corpus, vocabulary) -> None:
    known = set(vocabulary) - set(features.RESERVED_WORDS)
    for split in ("train", "eval"):
        total = ShardReport(split)
        for report in corpus.reports:
            if report["split"] == split:
                total.add(ShardReport.from_json(report))
        rows = words_of(corpus.documents[split])
        words = [word for row in rows for word in row]
        unknown = sum(word not in known for word in words)
        files = total.files
        total.files = []
        lengths = Counter(len(row) for row in rows)
        assert total == ShardReport(split, len(rows), 0, len(words), len(words), unknown, lengths)
        for file, path in zip(files, corpus.transformed[split], strict=True):
            assert (file["documents"], file["sha256"]) == (len(read(path)), checksum(path))
            assert file["bytes"] == Path(path).stat().st_size
        assert 0 < unknown < len(words)
        # Only complete shards are left.
        assert sorted(map(str, Path(corpus.transformed[split][0]).parent.iterdir())) == corpus.transformed[split]


def write_raw(path: Path, labels: list[str]) -> str:
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for number, label in enumerate(labels):
            writer.write(encode(Document((f"W{number}", "dull w1"), label, "s", f"x{number}", 1)))
    return str(path)


def transform(corpus, source: str, target: Path, pad: PadSettings | None = None, **changes) -> ShardReport:
    settings = TransformSettings(pad=pad, **{**SETTINGS, "min_count": 1, **changes})
    job = shard_work.ShardJob(settings, OutputSettings(compression="gzip"), kinds.LABELLED_TEXT, 64)
    return shard_work.transform_shard(source, str(target), "test", str(corpus.graph / "transform_fn"), job)


def test_unknown_labels_are_counted_by_name(corpus, tmp_path) -> None:
    source = write_raw(tmp_path / "raw.gz", ["neutral", "positive", "neutral", "bad", "negative"])
    report = transform(corpus, source, tmp_path / "new" / "out.gz")
    assert report.unknown_classes == Counter(neutral=2, bad=1)


def test_more_documents_than_a_batch_keep_their_order_and_bytes(corpus, tmp_path) -> None:
    source = write_raw(tmp_path / "raw.gz", ["positive"] * 2100)
    first, second = tmp_path / "a" / "out.gz", tmp_path / "b" / "out.gz"
    assert transform(corpus, source, first).documents == 2100
    transform(corpus, source, second)
    assert [context(example, "id") for example in read(str(first))] == [b"x%d" % number for number in range(2100)]
    assert first.read_bytes() == second.read_bytes()
    target = tmp_path / "new" / "out.gz"  # An empty shard stays a shard.
    report = transform(corpus, write_raw(tmp_path / "raw.gz", []), target)
    assert (report.documents, report.tokens, read(str(target))) == (0, 0, [])


def test_a_truncated_shard_leaves_no_files(corpus, tmp_path) -> None:
    source = Path(write_raw(tmp_path / "raw.gz", ["positive"] * 2100))
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(tf.errors.DataLossError):
        transform(corpus, str(source), tmp_path / "artifact" / "Split-test" / "out.gz")
    assert list((tmp_path / "artifact").rglob("*")) == [tmp_path / "artifact" / "Split-test"]


@pytest.mark.parametrize("side", ["left", "right"])
def test_padded_sequences_match_keras(corpus, tmp_path, side) -> None:
    (unpadded,) = corpus.transformed["eval"]
    ids = [tokens(example) for example in read(unpadded)]
    target = tmp_path / "out.gz"
    transform(corpus, corpus.raw["eval"][0], target, pad=PadSettings(to=30, side=side))
    keras_side = {"left": "pre", "right": "post"}[side]
    expected = tf.keras.utils.pad_sequences(ids, 30, dtype="int64", padding=keras_side)
    written = read(str(target))
    assert [tokens(example) for example in written] == expected.tolist()
    assert [context(example, "length") for example in written] == [len(row) for row in ids]


def test_a_minimum_length_drops_and_counts_documents_without_tokens(corpus, tmp_path) -> None:
    target = tmp_path / "out.gz"
    report = transform(corpus, corpus.raw["eval"][0], target, min_length=1)
    assert (report.documents, report.left_out, report.lengths[0]) == (20, 1, 0)
    assert [context(example, "id") for example in read(str(target))] == [b"eval-%d" % n for n in range(20) if n != 7]
    assert report.files[0]["documents"] == 19
