"""The dialect of a table in a text file: its separator, quotes and escapes, and whether a header row names columns."""

from __future__ import annotations

import io
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from components.corpus_example_gen.detection.column_names import KNOWN
from components.corpus_example_gen.detection.guess import Guess, words_of
from components.corpus_example_gen.readers.delimited.csv_reader import read_rows
from components.corpus_example_gen.settings import CorpusSettings

_DIALECT_CHARS = 256 << 10
"""Characters that dialects are compared on."""
_DIALECT_ROWS = 2_000
_SEPARATORS = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar"}
_TABLE_SHARE = 0.95
"""Least share of rows of equal width in a table whose file's name does not say that it is one."""
_NAMED_SHARE = 0.5
_SHORT_SHARE = 0.01
_NAME_WORDS = 5
_FEW_VALUES = 0.5
_MIN_NUMBERS = 5


class _Trial(NamedTuple):
    """A dialect with the rows that it gives.

    Attributes:
        values: Settings of the corpus.
        rows: The rows; None for records that are no rows.
        width: The most frequent number of columns.
        share: Share of the records that have it.
    """

    values: dict[str, Any]
    rows: list[list[str] | None]
    width: int
    share: float


def dialect_of(text: str, suffix: str) -> Guess | None:
    """Returns the dialect of a table, without its columns, or None if the text is no table.

    Args:
        text: The start of the file.
        suffix: The suffix of its name; `.csv` and `.tsv` promise a table.
    """
    start = _start(text)
    is_named = suffix in (".csv", ".tsv", ".tab")
    first = "," if suffix == ".csv" else "\t"
    separators = sorted(_SEPARATORS, key=lambda separator: separator != first)
    # Quotes behind backslashes would make most rows invalid.
    escapes: list[dict[str, Any]] = [{}, {"escape": "\\"}] if '\\"' in start else [{}]
    trials = [_trial(start, _values(one, **escape)) for one in separators if one in start for escape in escapes]
    trials = [trial for trial in trials if trial.width > 1]
    best = max(trials, key=lambda trial: round(trial.share, 2), default=None)
    if best is None or best.share < (_NAMED_SHARE if is_named else _TABLE_SHARE):
        return _guess(_trial(start, _values(first))) if is_named else None
    if not is_named and (len(best.rows) < 2 or (best.values["format"] == "csv" and not _is_strict_table(best))):
        return None
    return _guess(_refined(start, best))


def rows_of(text: str, guess: Guess, limit: int) -> list[list[str]]:
    """Returns the first rows of a table with the dialect of a guess."""
    settings = CorpusSettings.model_validate({**guess.values, "path": "x"})
    return [row for row in itertools.islice(_rows(text, settings), limit) if row is not None]


def set_header(guess: Guess, rows: Sequence[Sequence[str]]) -> list[str]:
    """Sets whether the first row names the columns, and returns the names, which are numbers if it does not."""
    has_header, reason = _header(rows[0], rows[1:])
    if has_header:
        return list(rows[0])
    guess.set("header", False, f"{reason}; columns are named by their numbers")
    return [str(number) for number in range(1, len(rows[0]) + 1)]


def _start(text: str) -> str:
    if len(text) <= _DIALECT_CHARS:
        return text
    end = text.rfind("\n", 0, _DIALECT_CHARS)
    # A table of long texts needs more.
    return text[: end + 1] if text.count("\n", 0, _DIALECT_CHARS) > 5 else text[: _DIALECT_CHARS * 16]


def _values(separator: str, **others: Any) -> dict[str, Any]:
    named = {"format": "tsv"} if separator == "\t" else {"format": "csv", "delimiter": separator}
    if separator == ",":
        del named["delimiter"]
    return {**named, **others}


def _trial(text: str, values: dict[str, Any]) -> _Trial:
    settings = CorpusSettings.model_validate({**values, "path": "x"})
    rows = list(itertools.islice(_rows(text, settings), _DIALECT_ROWS))
    widths = Counter(len(row) for row in rows if row is not None)
    (width, count), *_ = widths.most_common(1) or [(0, 0)]
    return _Trial(values, rows, width, count / max(len(rows), 1))


def _rows(text: str, settings: CorpusSettings) -> Iterator[list[str] | None]:
    # The text is decoded already, so the default encoding reads it.
    return read_rows(io.BytesIO(text.encode("utf-8", "replace")), "sample", settings)


def _is_strict_table(trial: _Trial) -> bool:
    """Whether commas and the like separate columns in a file that may as well be prose."""
    rows = [row for row in trial.rows if row is not None]
    return len(rows) >= 8 and trial.share == 1 and any(len({row[n] for row in rows}) < len(rows) / 2 for n in (0, -1))


def _refined(text: str, trial: _Trial) -> _Trial:
    """Returns the best of the dialects with the same separator."""
    is_tsv = trial.values["format"] == "tsv"
    plain = trial if is_tsv else _trial(text, {**trial.values, "quoting": "none"})
    quoted = _trial(text, {**trial.values, "quoting": "minimal"}) if is_tsv else trial
    best = trial
    if '"' in text:
        fields = [field for row in plain.rows for field in row or () if field.lstrip().startswith('"')]
        whole = sum(len(field.strip()) > 1 and field.rstrip().endswith('"') for field in fields)
        if is_tsv and (quoted.share > plain.share or (quoted.share == plain.share and fields and whole == len(fields))):
            best = quoted
        if not is_tsv and plain.share > quoted.share and plain.width >= quoted.width:
            best = plain
    if _has_blanks(plain):
        skipping = _trial(text, {**best.values, "skip_blanks": True})
        best = skipping if skipping.share >= best.share else best
    if is_tsv and any(field == "\\N" for row in plain.rows for field in row or ()):
        escaping = _trial(text, {**best.values, "escape": "\\"})
        best = escaping if escaping.share >= best.share else best
    return best


def _has_blanks(trial: _Trial) -> bool:
    """Whether a blank follows nearly every separator."""
    fields = [field for row in trial.rows for field in (row or ())[1:] if field]
    return bool(fields) and sum(field.startswith(" ") for field in fields) > 0.9 * len(fields)


def _guess(trial: _Trial) -> Guess:
    guess, values = Guess(), trial.values
    share = "every row has" if trial.share == 1 else f"{trial.share:.1%} of the rows have"
    separator = "\t" if values["format"] == "tsv" else values.get("delimiter", ",")
    columns = f"{trial.width} columns" if trial.width > 1 else "one column"
    guess.set("format", values["format"], f"{share} {columns}, separated by {_SEPARATORS[separator]}")
    reasons = {
        "quoting": "quotes are characters like others" if values.get("quoting") == "none" else "fields are quoted",
        "escape": "a backslash makes the next character part of the field",
        "skip_blanks": "a blank follows each separator",
    }
    for key, value in values.items():
        if key != "format":
            guess.set(key, value, reasons.get(key, ""))
    widths = [len(row) for row in trial.rows if row is not None and len(row) != trial.width]
    if len(widths) > _SHORT_SHARE * len(trial.rows) and max(widths) < trial.width:
        guess.set("short_rows", True, f"{len(widths):,} of the first {len(trial.rows):,} rows lack their last columns")
    return guess


def _header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> tuple[bool, str]:
    """Returns whether the first row has names, and why not."""
    columns = [[row[number] for row in rest if number < len(row)] for number in range(len(first))]
    named = [name.strip() for name in first]
    if any(map(_is_number_column, named, columns)):
        return True, ""
    reason = next(_objections(named, columns), "")
    return not reason, reason


def _objections(named: Sequence[str], columns: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yields why the first row has no names."""
    is_unknown = not any(KNOWN.intersection(words_of(name)) for name in named)
    if any(len(name.split()) > _NAME_WORDS for name in named):
        yield "the first row holds a text"
    if is_unknown and len(set(filter(None, named))) < len(list(filter(None, named))):
        yield "the first row has a value twice"
    if is_unknown and any(map(_is_number, named)):
        yield "the first row holds a number"
    for name, values in zip(named, columns, strict=True):
        words = [len(value.split()) for value in values]
        if is_unknown and 2 * len(name.split()) > max(2, sum(words) / max(len(words), 1)):
            yield "the first row is as long as the others"
        if name and len(set(values)) <= _FEW_VALUES * len(values) and name in values:
            yield f"the value {name!r} of the first row occurs in other rows too"


def _is_number_column(name: str, values: Sequence[str]) -> bool:
    """Whether a column has numbers only, but for its name."""
    return bool(name) and not _is_number(name) and len(values) >= _MIN_NUMBERS and all(map(_is_number, values))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
