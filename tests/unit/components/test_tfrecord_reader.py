import gzip
from pathlib import Path

import pytest
import tensorflow as tf

from components.corpus_example_gen.documents import Document, Part, Record
from components.corpus_example_gen.readers import formats, tfrecord_reader
from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.writing.encode import encode
from trainer.errors import JobError


def read(path: Path, format: str = "tf_example", **values: object) -> list[Record]:
    settings = CorpusSettings.model_validate({"format": format, "path": "x", **values})
    return list(formats.read(Part(str(path)), settings))


def found(records: list[Record]) -> list[object]:
    return [record.segments if isinstance(record, Document) else (record.line, record.reason) for record in records]


def write(path: Path, records: list[bytes], compression: str = "") -> Path:
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)
    return path


def feature(value: object) -> tf.train.Feature:
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def example(**values: object) -> bytes:
    features = tf.train.Features(feature={name: feature(value) for name, value in values.items()})
    return tf.train.Example(features=features).SerializeToString()


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_examples(tmp_path: Path, compression: str) -> None:
    path = write(
        tmp_path / ("a.tfrecord.gz" if compression else "a.tfrecord"),
        [example(text=b"caf\xc3\xa9", n=1, key=b"k1"), example(text=[b"two", b"segments"], n=0, key=b"k2")],
        compression,
    )
    assert read(path, label="n", id="key") == [
        Document(("caf\xe9",), "1", path.name, "k1", 1),
        Document(("two", "segments"), "0", path.name, "k2", 2),
    ]


def test_sequence_examples_of_our_own_are_read_back(tmp_path: Path) -> None:
    documents = [Document(("one", "two"), "good", "web", "1", 1), Document(("x\ny",), "bad", "web", "2", 2)]
    path = write(tmp_path / "a", [encode(document) for document in documents])
    assert read(path, "tf_sequence_example", label="label", source="source", id="id") == documents


def sentence(**lists: list[bytes]) -> bytes:
    named = {name: tf.train.FeatureList(feature=[feature(value) for value in values]) for name, values in lists.items()}
    context = tf.train.Features(feature={"key": feature(b"k"), "fold": feature(b"test")})
    example = tf.train.SequenceExample(context=context, feature_lists=tf.train.FeatureLists(feature_list=named))
    return example.SerializeToString()


def test_tagged_sequence_examples_of_our_own_are_read_back(tmp_path: Path) -> None:
    documents = [Document((), None, "web", "1", 1, None, ("EU", "is"), ("B-ORG", "O"))]
    path = write(tmp_path / "a", [encode(document) for document in documents])
    assert read(path, "tf_sequence_example", tag="tags", source="source", id="id") == documents


def test_feature_lists_of_tokens_and_tags_have_to_be_aligned(tmp_path: Path) -> None:
    bad = [
        (sentence(words=[b"a"]), "no tags: no feature list 'ner'"),
        (sentence(ner=[b"O"]), "no tokens: no feature list 'words'"),
        (sentence(words=[b"a", b"b"], ner=[b"O"]), "unlike lengths: 2 tokens, 1 tags"),
        (sentence(words=[b"a", b" "], ner=[b"O", b"O"]), "no token: the value is empty at token 2 of the sentence"),
        (sentence(words=[b"a", b"b"], ner=[b"O", b""]), "no tag: the value is empty at token 2 of the sentence"),
        (sentence(words=[], ner=[]), "no tokens"),
        (sentence(words=[1], ner=[b"O"]), "tokens is no string: found int64 values"),
    ]
    good = sentence(words=[b"caf\xc3\xa9"], ner=[b"B-X"])
    path = write(tmp_path / "a", [*(record for record, _ in bad), good])
    *found, last = read(path, "tf_sequence_example", tokens="words", tag="ner", id="key", split="fold")
    assert [record.reason for record in found] == [reason for _, reason in bad]
    assert (last.tokens, last.tags, last.id, last.split) == (("caf\xe9",), ("B-X",), "k", "test")


def test_text_may_stand_in_the_context(tmp_path: Path) -> None:
    context = tf.train.Features(feature={"body": feature(b"a"), "split": feature(b"validation")})
    path = write(tmp_path / "a", [tf.train.SequenceExample(context=context).SerializeToString()])
    values = {"text": "body", "split": "split", "split_values": {"validation": "eval"}}
    (record,) = read(path, "tf_sequence_example", **values)
    assert (record.segments, record.split) == (("a",), "eval")


def test_bad_records_are_told_by_their_number(tmp_path: Path) -> None:
    bad = [
        (b"\xff\xff\xff", "no Example: the record cannot be parsed"),
        (example(txt=b"a"), "no text: no feature 'text' among 'txt'"),
        (example(text=b"a\xff", n=1), "invalid UTF-8: 0xff at byte 1 of the record"),
        (example(text=5, n=1), "text is no string: found int64 values"),
        (example(text=b"a\0", n=1), "NUL byte: at character 1 of the text"),
        (example(text=b"a"), "no label: no feature 'n' among 'text'"),
        (example(text=b"a", n=[1, 2]), "label is a list: 2 values in 'n'"),
        (example(text=b"", n=1), "no text"),
    ]
    path = write(tmp_path / "a", [record for record, _ in bad] + [example(text=b"good", n=1)])
    expected = [(number, reason) for number, (_, reason) in enumerate(bad, 1)]
    assert found(read(path, label="n")) == [*expected, ("good",)]


def test_a_damaged_record_costs_itself(tmp_path: Path) -> None:
    texts = [f"text {number}".encode() for number in range(5)]
    path = write(tmp_path / "a", [example(text=text) for text in texts])
    data = path.read_bytes().replace(b"text 2", b"text X")
    path.write_bytes(data)
    assert found(read(path)) == [
        ("text 0",), ("text 1",), (3, "wrong checksum: the record is damaged"), ("text 3",), ("text 4",),
    ]  # fmt: skip


def test_a_record_over_the_limit_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a", [example(text=b"a"), example(text=b"long" * 100), example(text=b"b")])
    monkeypatch.setattr(tfrecord_reader, "MAX_DOCUMENT_BYTES", 100)
    monkeypatch.setattr(tfrecord_reader, "_CHUNK_BYTES", 64)
    assert found(read(path)) == [("a",), (2, "record too long: more than 64 MiB"), ("b",)]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a", [example(text=b"a"), example(text=b"b")])
    data = path.read_bytes()
    for cut in (1, 8, len(data) // 2 - 3):
        path.write_bytes(data[:-cut])
        with pytest.raises(JobError, match=r"(?s)TFRecord file is damaged.*record 2.*end of the file within a record"):
            read(path)
    path.write_bytes(data[: len(data) // 2 + 5])
    with pytest.raises(JobError, match="record 2"):
        read(path)
    for other in (b"text,label\na,1\nb,2\n", gzip.compress(data)):
        path.write_bytes(other)
        with pytest.raises(JobError, match=r"(?s)TFRecord file is damaged.*record 1.*wrong checksum"):
            read(path)
    path.write_bytes(b"")
    assert read(path) == []
