"""CSV records that continue over lines by escapes, next to a reader that reads them again from every line."""

import csv
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.readers.delimited import record_lines
from tests.unit.components.corpus_records import read

WIDTH = 2
PIECES = ["\\\n", "\\\n", "\\\n", "\n", "a", "b", ",", ",", '"', '""', "\\", " ", '"x,",', '\\"']


def by_rereading(lines: list[str], limit: int) -> Iterator[tuple[int, str | None]]:
    """Yields the first line, counted from 2, and the text of each record, None for a bad one.

    A record takes lines until they exceed a limit.
    """
    first = 0
    while first < len(lines):
        last = first + 1
        while last < len(lines) and sum(map(len, lines[first:last])) <= limit:
            last += 1
        reader = csv.reader(lines[first:last], strict=True, escapechar="\\")
        try:
            row = next(reader)
        except csv.Error:
            row = None
        is_blank = row is not None and (not row or (len(row) == 1 and not row[0].strip()))
        is_good = row is not None and len(row) == WIDTH
        if not is_blank:
            yield first + 2, row[0] if is_good and row[0].strip() else None
        first += reader.line_num if is_good or is_blank else 1


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.sampled_from([4, 15, 40, 1 << 20]))
def test_records_are_those_of_a_reader_that_starts_again_in_every_line(body: str, limit: int) -> None:
    lines = body.splitlines(keepends=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_lines, "MAX_RECORD_BYTES", limit)
        records = read(f"text,more\n{body}", "csv", escape="\\")
    found = [(one.line, one.segments[0] if isinstance(one, Document) else None) for one in records]
    assert found == list(by_rereading(lines, limit))


def test_a_chain_of_lines_that_never_ends_is_bad_line_by_line() -> None:
    # Read again from each line, this would take hours.
    count = 100_000
    records = read("text,more\n" + "some words,b\\\n" * count, "csv", escape="\\")
    assert [record.line for record in records] == list(range(2, count + 2))
    assert {record.reason for record in records} == {"quote never closed"}


def test_a_chain_of_lines_with_too_many_columns_is_bad_down_to_the_line_that_fits() -> None:
    count = 50_000
    *bad, last = read("text,more\n" + "a,b\\\n" * count + "good,c\n", "csv", escape="\\")
    assert [record.line for record in bad] == list(range(2, count + 2))
    assert bad[0].reason == f"wrong number of columns: {count + 2}, the header has 2"
    assert bad[-1].reason == "wrong number of columns: 3, the header has 2"
    assert (last.segments, last.line) == (("good",), count + 2)
