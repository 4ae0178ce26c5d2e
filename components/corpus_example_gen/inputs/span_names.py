"""The spans in the names of files, by TFX's placeholders; imports no TFX, which is slow.

`{SPAN}` and `{VERSION}` stand for numbers, `{YYYY}`, `{MM}` and `{DD}` for a date, whose span is the number of days
since 1970-01-01.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from components.corpus_example_gen.inputs import files
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.inputs.patterns import any_span
from trainer.errors import JobError

_TOKEN = re.compile(
    r"\{SPAN(?::(?P<span_width>[^}]*))?(?P<span>\})|\{VERSION(?::(?P<version_width>[^}]*))?(?P<version>\})"
    r"|(?P<year>\{YYYY\})|(?P<month>\{MM\})|(?P<day>\{DD\})"
    r"|(?P<some>\*)|(?P<one>\?)|\[(?P<negated>!?)(?P<set>\]?[^]]*)\]"
)
_DIGITS = {"span": "[0-9]+", "version": "[0-9]+", "year": "[0-9]{4}", "month": "[0-9]{2}", "day": "[0-9]{2}"}
_EPOCH = datetime.date(1970, 1, 1)


class Span(NamedTuple):
    """A span: its number (0 if the paths have no spans) and version (None if the paths have no versions)."""

    number: int
    version: int | None

    def __str__(self) -> str:
        return f"span {self.number}" + ("" if self.version is None else f" version {self.version}")


def number_of(day: datetime.date) -> int:
    """Returns the span of a date: its number of days since 1970-01-01."""
    return (day - _EPOCH).days


def date_of(number: int) -> datetime.date:
    """Returns the date of a span of dates.

    Raises:
        OverflowError: If the number is too large for a date.
    """
    return _EPOCH + datetime.timedelta(days=number)


def newest_versions(spans: Iterable[Span]) -> dict[int, Span]:
    """Returns the newest version of each span by its number, in order."""
    return {span.number: span for span in sorted(spans, key=lambda span: (span.number, span.version or 0))}


def find(pattern: str) -> dict[Span, list[CorpusFile]]:
    """Returns the files that match a pattern with placeholders, by span.

    Raises:
        JobError: If the name of a file has no span, or a file cannot be read.
    """
    expression = re.compile(_expression(pattern))
    found: dict[Span, list[CorpusFile]] = {}
    for file in files.match_files(any_span(pattern)):
        match = expression.fullmatch(file.path)
        span = _span(match.groupdict()) if match else None
        if span is None:
            raise JobError(
                "A corpus file has no span in its name.",
                where=file.path,
                found="no number or date in place of the placeholder",
                expected=f"a name like {pattern}",
                fix="Move the file, or make corpus.path match only files of spans.",
            )
        found.setdefault(span, []).append(file)
    return found


def span_of(pattern: str, path: str) -> Span | None:
    """Returns the span in the path of a file that a pattern with placeholders matches; None if it has none."""
    match = re.fullmatch(_expression(pattern), path)
    return _span(match.groupdict()) if match else None


def _span(values: Mapping[str, str | None]) -> Span | None:
    version = values.get("version")
    try:
        if values.get("year"):
            number = number_of(datetime.date(*(int(values[name] or "") for name in ("year", "month", "day"))))
        else:
            number = int(values.get("span") or "")
    except ValueError:
        return None
    return Span(number, None if version is None else int(version))


def _expression(pattern: str) -> str:
    """Returns a regular expression for the paths that a glob with specs matches."""
    parts, end = [], 0
    for token in _TOKEN.finditer(pattern):
        # A * before a number takes none of its digits.
        whole = (
            "(?<![0-9])" if pattern[: token.start()].endswith("*") and token.lastgroup in ("span", "version") else ""
        )
        parts += [re.escape(pattern[end : token.start()]), whole, _token_expression(token)]
        end = token.end()
    return "".join([*parts, re.escape(pattern[end:])])


def _token_expression(token: re.Match[str]) -> str:
    name = str(token.lastgroup)
    if name in _DIGITS:
        width = token[f"{name}_width"] if name in ("span", "version") else None
        return f"(?P<{name}>{rf'[0-9]{{{width}}}' if width else _DIGITS[name]})"
    if name == "set":
        characters = re.escape(token["set"]).replace(r"\-", "-")
        return f"[{'^' if token['negated'] else ''}{characters}]"
    return "[^/]*" if name == "some" else "[^/]"
