"""Inputs from lines and JSON lines, and the errors of invalid ones."""

import io

import pytest

from pipeline.cli.querying import inputs
from pipeline.cli.querying.inputs import Query
from trainer.errors import JobError


def json_lines(content, key="text"):
    return list(inputs.read_json_lines(io.BytesIO(content), "in.jsonl", key))


def test_lines_are_texts_and_json_lines_are_strings_or_objects():
    stream = io.BytesIO("\ufeffone\r\n\n  two é \nlast".encode())
    assert list(inputs.read_lines(stream, "stdin")) == [Query(text) for text in ("one", "", "  two é ", "last")]
    lines = b'{"text": "a\\nb", "id": 1}\n\n"c"\n"\\ud83d\\ude00"\n{"text": ""}'
    assert json_lines(lines) == [Query("a\nb", id=1), Query("c"), Query("😀"), Query("")]


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
def test_an_invalid_line_is_an_error_and_the_next_one_is_read(line, parts):
    first, error, last = json_lines(b'"good"\n' + line + b'\n"more"')
    assert (first, last) == (Query("good"), Query("more"))
    assert isinstance(error, JobError)
    assert error.where == "in.jsonl:2"
    assert [part for part in parts if part not in str(error)] == []


def test_a_line_of_standard_input_that_is_not_utf8_is_reported():
    first, error, last = inputs.read_lines(io.BytesIO(b"a\n\xe9\nb\n"), "stdin")
    assert (first, last) == (Query("a"), Query("b"))
    assert isinstance(error, JobError)
    assert (error.where, error.what) == ("stdin:2", "A line is not UTF-8.")


def test_the_key_is_that_of_the_command():
    found, error = json_lines(b'{"word": "a"}\n{"text": "a"}', "word")
    assert found == Query("a")
    assert 'no key "word"' in str(error)
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
