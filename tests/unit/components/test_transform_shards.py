"""Shards through the transform against tokens, ids and figures computed apart from it."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf

from components.sequence_transform import shards
from trainer import features
from trainer.settings import TransformSettings


def tokenize(text: str) -> list[str]:
    """Enough of the tokenizer for the corpus' words."""
    return re.findall(r"\w+(?:'\w+)*|[^\w\s]", text.lower().replace("<br />", " ").replace("<br>", " "))


def truncate(tokens: list[str], settings: dict) -> list[str]:
    head = settings["to"] // 4
    return tokens if len(tokens) <= settings["to"] else tokens[:head] + tokens[head - settings["to"] :]


def read(path: str) -> list[tf.train.SequenceExample]:
    records = tf.data.TFRecordDataset(path, "GZIP")
    return [tf.train.SequenceExample.FromString(record.numpy()) for record in records]


@pytest.fixture(scope="module")
def settings(corpus) -> dict:
    return {"max_size": 60, "min_count": 2, "truncate": {"to": 24, "keep": "head+tail"}}


@pytest.fixture(scope="module")
def vocabulary(corpus, settings) -> list[str]:
    """The vocabulary, made of the train split in plain Python."""
    texts = [document.text for document in corpus.documents["train"]]
    counts = Counter(token for text in texts for token in truncate(tokenize(text), settings["truncate"]))
    frequent = [word for word, count in counts.items() if count >= settings["min_count"]]
    return [*features.RESERVED_WORDS, *sorted(frequent, key=lambda word: (-counts[word], word.encode()))[:60]]


def test_beam_counts_the_train_split(corpus, settings) -> None:
    documents = corpus.documents["train"]
    tokens = Counter(token for d in documents for token in truncate(tokenize(d.text), settings["truncate"]))
    assert corpus.counts == {
        "tokens": dict(tokens),
        "labels": dict(Counter(document.label for document in documents)),
        "documents": 60,
    }


def test_a_shard_is_counted_alone(corpus, settings) -> None:
    counts = shards.count_tokens(corpus.raw["train"][1], TransformSettings.model_validate(settings))
    documents = corpus.documents["train"][30:]
    assert counts.documents == 30
    assert counts.labels == Counter(document.label for document in documents)
    assert counts.tokens == Counter(t for d in documents for t in truncate(tokenize(d.text), settings["truncate"]))


def test_the_vocabulary_is_what_the_train_split_gives(corpus, vocabulary) -> None:
    assert (corpus.graph / "vocabulary.txt").read_text().splitlines() == vocabulary
    assert len(vocabulary) > 40


def test_every_document_is_written_in_order_with_its_ids(corpus, settings, vocabulary) -> None:
    ids = {word: number for number, word in enumerate(vocabulary)}
    for split in ("train", "eval"):
        written = [example for path in corpus.transformed[split] for example in read(path)]
        for document, example in zip(corpus.documents[split], written, strict=True):
            words = truncate(tokenize(document.text), settings["truncate"])
            steps = example.feature_lists.feature_list["tokens"].feature
            assert [list(step.int64_list.value) for step in steps] == [[ids.get(word, 1)] for word in words]
            context = example.context.feature
            assert set(context) == {"id", "source", "label", "length"}
            assert list(context["id"].bytes_list.value) == [document.id.encode()]
            assert list(context["source"].bytes_list.value) == [document.source.encode()]
            assert list(context["label"].int64_list.value) == [["negative", "positive"].index(document.label)]
            assert list(context["length"].int64_list.value) == [len(words)]


def test_reports_add_up_to_what_was_written(corpus, settings, vocabulary) -> None:
    known = set(vocabulary) - set(features.RESERVED_WORDS)
    for split in ("train", "eval"):
        total = shards.ShardReport(split)
        for report in corpus.reports:
            if report["split"] == split:
                total.add(shards.ShardReport(**report))
        rows = [truncate(tokenize(d.text), settings["truncate"]) for d in corpus.documents[split]]
        tokens = [token for row in rows for token in row]
        unknown = sum(token not in known for token in tokens)
        assert vars(total) == {
            "split": split,
            "documents": len(rows),
            "tokens": len(tokens),
            "unknown": unknown,
            "empty": 1,
            "unlabelled": Counter(),
        }
        assert 0 < unknown < len(tokens)


def test_nothing_but_whole_shards_is_left(corpus) -> None:
    folder = Path(corpus.transformed["train"][0]).parent
    assert sorted(path.name for path in folder.iterdir()) == ["data_tfrecord-0.gz", "data_tfrecord-1.gz"]


def write_raw(path: Path, labels: list[str]) -> str:
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for number, label in enumerate(labels):
            example = tf.train.SequenceExample()
            values = {"id": f"x{number}", "source": "s", "label": label}
            for name, value in values.items():
                example.context.feature[name].bytes_list.value.append(value.encode())
            for segment in (f"W{number}", "dull w1"):
                step = example.feature_lists.feature_list["text"].feature.add()
                step.bytes_list.value.append(segment.encode())
            writer.write(example.SerializeToString())
    return str(path)


def test_labels_that_are_no_class_are_counted_by_name(corpus, tmp_path) -> None:
    graph = str(corpus.graph / "transform_fn")
    source = write_raw(tmp_path / "raw.gz", ["neutral", "positive", "neutral", "bad", "negative"])
    target = str(tmp_path / "new" / "out.gz")
    report = shards.transform_shard(source, target, "test", graph)
    assert report.unlabelled == Counter(neutral=2, bad=1)
    assert [example.context.feature["label"].int64_list.value[0] for example in read(target)] == [-1, 1, -1, -1, 0]
    assert json.loads(json.dumps(vars(report)))["unlabelled"] == {"neutral": 2, "bad": 1}


def test_more_documents_than_a_batch_keep_their_order_and_bytes(corpus, tmp_path) -> None:
    graph = str(corpus.graph / "transform_fn")
    source = write_raw(tmp_path / "raw.gz", ["positive"] * 1100)
    first, second = str(tmp_path / "a" / "out.gz"), str(tmp_path / "b" / "out.gz")
    assert shards.transform_shard(source, first, "train", graph).documents == 1100
    shards.transform_shard(source, second, "train", graph)
    identities = [example.context.feature["id"].bytes_list.value[0] for example in read(first)]
    assert identities == [f"x{number}".encode() for number in range(1100)]
    assert Path(first).read_bytes() == Path(second).read_bytes()


def test_an_empty_shard_stays_a_shard(corpus, tmp_path) -> None:
    source = write_raw(tmp_path / "raw.gz", [])
    target = str(tmp_path / "new" / "out.gz")
    report = shards.transform_shard(source, target, "eval", str(corpus.graph / "transform_fn"))
    assert (report.documents, report.tokens, read(target)) == (0, 0, [])
