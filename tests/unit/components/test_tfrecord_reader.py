import gzip
from pathlib import Path

import pytest

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.readers import tfrecord_reader
from components.corpus_example_gen.writing.encode import encode
from tests.unit.components.corpus_records import example, outcomes, read, sequence_example, write_records
from trainer.errors import JobError


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_examples(tmp_path: Path, compression: str) -> None:
    path = write_records(
        tmp_path / ("a.tfrecord.gz" if compression else "a.tfrecord"),
        [example(text=b"caf\xc3\xa9", n=1, key=b"k1"), example(text=[b"two", b"segments"], n=0, key=b"k2")],
        compression,
    )
    assert read(path, "tf_example", label="n", id="key") == [
        Document(("caf\xe9",), "1", path.name, "k1", 1),
        Document(("two", "segments"), "0", path.name, "k2", 2),
    ]


@pytest.mark.parametrize(
    ("values", "documents"),
    [
        (
            {"label": "label"},
            [Document(("one", "two"), "good", "web", "1", 1), Document(("x\ny",), "bad", "web", "2", 2)],
        ),
        ({"tag": "tags"}, [Document((), None, "web", "1", 1, None, ("EU", "is"), ("B-ORG", "O"))]),
        (
            {"label": "labels", "multi_label": True},
            [
                Document(("one", "two"), None, "web", "1", 1, labels=("a", "b")),
                Document(("x",), None, "web", "2", 2, labels=()),
            ],
        ),
    ],
)
def test_our_own_sequence_examples_are_read_back(tmp_path, values, documents):
    path = write_records(tmp_path / "a", map(encode, documents))
    assert read(path, "tf_sequence_example", source="source", id="id", **values) == documents


def test_feature_lists_of_tokens_and_tags_must_be_aligned(tmp_path: Path) -> None:
    def sentence(**lists: list) -> bytes:
        return sequence_example({"key": b"k", "fold": b"test"}, **lists)

    bad = [
        (sentence(words=[b"a"]), "no tags: no feature list 'ner'"),
        (sentence(ner=[b"O"]), "no tokens: no feature list 'words'"),
        (sentence(words=[b"a", b"b"], ner=[b"O"]), "different lengths: 2 tokens, 1 tags"),
        (
            sentence(words=[b"a", b" "], ner=[b"O", b"O"]),
            "no token: the value is white space, U+0020 at token 2 of the sentence",
        ),
        (sentence(words=[b"a", b"b"], ner=[b"O", b""]), "no tag: the value is empty at token 2 of the sentence"),
        (sentence(words=[], ner=[]), "no tokens"),
        (sentence(words=[1], ner=[b"O"]), "tokens is not a string: found int64 values"),
    ]
    good = sentence(words=[b"caf\xc3\xa9"], ner=[b"B-X"])
    path = write_records(tmp_path / "a", [*(record for record, _ in bad), good])
    *found, last = read(path, "tf_sequence_example", tokens="words", tag="ner", id="key", split="fold")
    assert [record.reason for record in found] == [reason for _, reason in bad]
    assert (last.tokens, last.tags, last.id, last.split) == (("caf\xe9",), ("B-X",), "k", "test")


def test_text_may_be_in_the_context(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a", [sequence_example({"body": b"a", "split": b"validation"})])
    values = {"text": "body", "split": "split", "split_values": {"validation": "eval"}}
    (record,) = read(path, "tf_sequence_example", **values)
    assert (record.segments, record.split) == (("a",), "eval")


def test_bad_records_report_their_number(tmp_path: Path) -> None:
    bad = [
        (b"\xff\xff\xff", "not a tf.Example: the record cannot be parsed"),
        (example(txt=b"a"), "no text: no feature 'text' among 'txt'"),
        (example(text=b"a\xff", n=1), "invalid UTF-8: 0xff at byte 1 of the record"),
        (example(text=5, n=1), "text is not a string: found int64 values"),
        (example(text=b"a\0", n=1), "NUL byte: at character 1 of the text"),
        (example(text=b"a"), "no label: no feature 'n' among 'text'"),
        (example(text=b"a", n=[1, 2]), "label is a list: 2 values in 'n'"),
        (example(text=b"", n=1), "no text"),
    ]
    path = write_records(tmp_path / "a", [record for record, _ in bad] + [example(text=b"good", n=1)])
    expected = [(number, reason) for number, (_, reason) in enumerate(bad, 1)]
    assert outcomes(read(path, "tf_example", label="n")) == [*expected, ("good",)]


def test_only_a_damaged_record_is_lost(tmp_path: Path) -> None:
    texts = [f"text {number}".encode() for number in range(5)]
    path = write_records(tmp_path / "a", [example(text=text) for text in texts])
    data = path.read_bytes().replace(b"text 2", b"text X")
    path.write_bytes(data)
    assert outcomes(read(path, "tf_example")) == [
        ("text 0",), ("text 1",), (3, "wrong checksum: the record is damaged"), ("text 3",), ("text 4",),
    ]  # fmt: skip


def test_a_record_over_the_limit_is_a_bad_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_records(tmp_path / "a", [example(text=b"a"), example(text=b"long" * 100), example(text=b"b")])
    monkeypatch.setattr(tfrecord_reader, "MAX_DOCUMENT_BYTES", 100)
    monkeypatch.setattr(tfrecord_reader, "_CHUNK_BYTES", 64)
    assert outcomes(read(path, "tf_example")) == [("a",), (2, "record too long: more than 64 MiB"), ("b",)]


def test_damaged_files_are_errors(tmp_path: Path) -> None:
    path = write_records(tmp_path / "a", [example(text=b"a"), example(text=b"b")])
    data = path.read_bytes()
    for cut in (1, 8, len(data) // 2 - 3):
        path.write_bytes(data[:-cut])
        with pytest.raises(JobError, match=r"(?s)TFRecord file is damaged.*record 2.*end of the file within a record"):
            read(path, "tf_example")
    path.write_bytes(data[: len(data) // 2 + 5])
    with pytest.raises(JobError, match="record 2"):
        read(path, "tf_example")
    path.write_bytes(b"text,label\na,1\nb,2\n")
    with pytest.raises(JobError, match=r"(?s)TFRecord file is damaged.*record 1.*wrong checksum"):
        read(path, "tf_example")
    path.write_bytes(gzip.compress(data))
    assert outcomes(read(path, "tf_example")) == [("a",), ("b",)]
    path.write_bytes(b"")
    assert read(path, "tf_example") == []
