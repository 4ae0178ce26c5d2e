"""Inputs from lines and JSON lines, and the errors of invalid ones."""

import io

import pytest

from pipeline.cli.querying import inputs
from trainer.errors import JobError


def test_lines_are_texts_and_json_lines_are_strings_or_objects():
    stream = io.BytesIO("\ufeffone\r\n\n  two é \nlast".encode())
    assert list(inputs.read_lines(stream, "stdin")) == ["one", "", "  two é ", "last"]
    stream = io.BytesIO(b'{"text": "a\\nb", "id": 1}\n\n"c"\n"\\ud83d\\ude00"\n{"text": ""}')
    assert list(inputs.read_json_lines(stream, "f", "text")) == ["a\nb", "c", "😀", ""]


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"{", ["not JSON", "line 1 column 2"]),
        (b"plain words", ["not JSON", '{"text": "..."}']),
        (b"3", ["has no text", "found: 3"]),
        (b'{"text": null}', ["has no text", "null"]),
        (b'["a"]', ["has no text"]),
        (b'{"Text": "a"}', ['no key "text"', "found: the keys Text", 'rename "Text"']),
        (b"{}", ['no key "text"', "no keys"]),
        (b'"\xff"', ["not UTF-8", "0xff at column 2"]),
        (b'"\\ud800"', ["not valid Unicode", r"\ud800"]),
        (b"[" * 100_000, ["not JSON"]),
    ],
)
def test_an_invalid_line_is_reported(line, parts):
    with pytest.raises(JobError) as caught:
        list(inputs.read_json_lines(io.BytesIO(b'"good"\n' + line), "in.jsonl", "text"))
    assert caught.value.where == "in.jsonl:2"
    assert [part for part in parts if part not in str(caught.value)] == []


def test_a_line_of_standard_input_that_is_not_utf8_is_reported():
    with pytest.raises(JobError, match="not UTF-8") as caught:
        list(inputs.read_lines(io.BytesIO(b"a\n\xe9\n"), "stdin"))
    assert caught.value.where == "stdin:2"


def test_the_key_is_that_of_the_command():
    assert list(inputs.read_json_lines(io.BytesIO(b'{"word": "a"}'), "f", "word")) == ["a"]
    with pytest.raises(JobError, match='no key "word"'):
        list(inputs.read_json_lines(io.BytesIO(b'{"text": "a"}'), "f", "word"))
    with pytest.raises(JobError, match="A word is not valid Unicode") as caught:
        list(inputs.check(["a", "\udcff"], "word"))
    assert caught.value.where == "WORD 2"


def test_batches_end_with_the_inputs_before_an_invalid_one():
    def broken():
        yield from ["a"] * (inputs.BATCH + 1)
        raise JobError("broken")

    batches = inputs.batches(broken())
    assert [len(next(batches)), len(next(batches))] == [inputs.BATCH, 1]
    with pytest.raises(JobError, match="broken"):
        next(batches)
