"""Which spans of a corpus there are and which are read, with the meaning that TFX gives patterns.

`{SPAN}` and `{VERSION}` stand for numbers, `{YYYY}`, `{MM}` and `{DD}` for a date, whose span is its number of days
since 1970-01-01. A version is a second delivery of a span: the greatest one is read.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import NamedTuple

from tfx.components.example_gen import utils
from tfx.proto import example_gen_pb2

from components.corpus_example_gen.inputs import files
from trainer.errors import JobError

_SPEC = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::([^}]*))?\}")
_TOKEN = re.compile(
    r"\{SPAN(?::(?P<span_width>[^}]*))?(?P<span>\})|\{VERSION(?::(?P<version_width>[^}]*))?(?P<version>\})"
    r"|(?P<year>\{YYYY\})|(?P<month>\{MM\})|(?P<day>\{DD\})"
    r"|(?P<some>\*)|(?P<one>\?)|\[(?P<negated>!?)(?P<set>\]?[^]]*)\]"
)
_NAMES = {"SPAN": "span", "VERSION": "version", "YYYY": "year", "MM": "month", "DD": "day"}
_DIGITS = {"span": "[0-9]+", "version": "[0-9]+", "year": "[0-9]{4}", "month": "[0-9]{2}", "day": "[0-9]{2}"}


class Span(NamedTuple):
    """A span of the corpus.

    Attributes:
        number: Its number, 0 where the paths have no spans.
        version: Its version, or None where the paths have none.
    """

    number: int
    version: int | None


class Resolved(NamedTuple):
    """What is read.

    Attributes:
        newest: The newest span that is read.
        patterns: For each split the patterns of its files.
    """

    newest: Span
    patterns: dict[str, list[str]]


class _Found(NamedTuple):
    patterns: dict[Span, set[str]]
    """The patterns of each span's files, the span and version filled in as they are written there."""

    @property
    def numbers(self) -> list[int]:
        return sorted({span.number for span in self.patterns})

    def version(self, number: int) -> Span:
        """The newest version of a span."""
        return max((span for span in self.patterns if span.number == number), key=lambda span: span.version or 0)


def resolve(base: str, patterns: Mapping[str, str], wanted: int | None, count: int) -> Resolved:
    """Finds the spans to read.

    Args:
        base: The folder of the patterns, a glob.
        patterns: The pattern of each split.
        wanted: The last span to read, None for the newest.
        count: How many spans to read: that many that exist, or all where there are fewer.

    Raises:
        JobError: If a span is missing, or not the same in all splits.
    """
    specs = {_specs(split, pattern) for split, pattern in patterns.items()}
    if len(specs) > 1:
        raise _wrong_specs("paths with and without {SPAN}, {VERSION} or dates", "the same in the paths of all splits")
    if not any(specs.pop()):
        return Resolved(Span(0, None), {split: [pattern] for split, pattern in patterns.items()})
    found = {split: _find(base, pattern) for split, pattern in patterns.items()}
    chosen = {split: _choose(each, join(base, patterns[split]), wanted, count) for split, each in found.items()}
    first, *others = chosen
    for split in others:
        if chosen[split] != chosen[first]:
            raise JobError(
                "The splits do not have the same spans.",
                where="corpus.path",
                found="; ".join(f"{name}: {', '.join(map(_told, chosen[name]))}" for name in (first, split)),
                expected="the same spans and versions in all splits",
                fix="Add the missing files, or name a span that all splits have: corpus.span: NUMBER.",
            )
    return Resolved(
        chosen[first][-1],
        {split: sorted(p for span in spans for p in found[split].patterns[span]) for split, spans in chosen.items()},
    )


def join(base: str, pattern: str) -> str:
    """Returns the whole pattern; an empty base is that of patterns which are whole already."""
    return posixpath.join(base, pattern)


def glob(pattern: str) -> str:
    """Returns a pattern that matches the files of all spans."""
    return _SPEC.sub("*", pattern)


def _specs(split: str, pattern: str) -> tuple[bool, bool, bool]:
    """Whether a pattern has a span, a date and a version."""
    expected = "{SPAN}, or {YYYY}, {MM} and {DD}, once each, and perhaps {VERSION}"
    try:
        found: tuple[bool, bool, bool] = utils.verify_split_pattern_specs(
            example_gen_pb2.Input.Split(name=split, pattern=pattern)
        )
    except ValueError as error:
        raise _wrong_specs(str(error), expected) from error
    for name, width in _SPEC.findall(pattern):
        if width and not (name in ("SPAN", "VERSION") and width.isdecimal() and int(width)):
            raise _wrong_specs(f"{{{name}:{width}}}", f"{expected}; digits as in {{SPAN:3}}")
    return found


def _wrong_specs(found: str, expected: str) -> JobError:
    return JobError("The corpus path's spans are not clear.", where="corpus.path", found=found, expected=expected)


def _find(base: str, pattern: str) -> _Found:
    """Looks all files up whose names fit the pattern."""
    whole = join(base, pattern)
    expression = re.compile(_expression(whole))
    patterns: dict[Span, set[str]] = {}
    for file in files.match_files(glob(whole)):
        match = expression.fullmatch(file.path)
        span = _span(match.groupdict()) if match else None
        if match is None or span is None:
            raise JobError(
                "A file of the corpus has no span in its name.",
                where=file.path,
                found="no number, or no date, where the path has one",
                expected=f"a name like {pattern}",
                fix="Move the file, or let corpus.path match only files of spans.",
            )
        patterns.setdefault(span, set()).add(_filled(pattern, match.groupdict()))
    return _Found(patterns)


def _choose(found: _Found, pattern: str, wanted: int | None, count: int) -> list[Span]:
    """Returns the newest version of the last spans up to the one that is wanted, oldest first."""
    numbers = found.numbers
    if not numbers or (wanted is not None and wanted not in numbers):
        shown = ", ".join(map(str, numbers[-5:]))
        raise JobError(
            "No span of the corpus was found." if not numbers else f"The span {wanted} of the corpus was not found.",
            where=pattern,
            found="no file that matches" if not numbers else f"{len(numbers)} spans, the last of them {shown}",
            expected="at least one span" if wanted is None else f"files of span {wanted}",
            fix="Check corpus.path and corpus.span; a date is span (days since 1970-01-01), as the artifact tells.",
        )
    return [found.version(number) for number in numbers if wanted is None or number <= wanted][-count:]


def _span(values: Mapping[str, str | None]) -> Span | None:
    version = values.get("version")
    try:
        if values.get("year"):
            number = utils.date_to_span_number(*(int(values[name] or "") for name in ("year", "month", "day")))
        else:
            number = int(values["span"] or "")
    except ValueError:
        return None
    return Span(number, None if version is None else int(version))


def _expression(pattern: str) -> str:
    """Returns a regular expression for the paths that a glob with specs matches."""
    parts, end = [], 0
    for token in _TOKEN.finditer(pattern):
        parts += [re.escape(pattern[end : token.start()]), _token_expression(token)]
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


def _filled(pattern: str, values: Mapping[str, str | None]) -> str:
    """Puts the values into the pattern as they are written in the file's name, leading zeros kept."""
    return _SPEC.sub(lambda spec: values[_NAMES[spec[1]]] or "", pattern)


def _told(span: Span) -> str:
    return f"span {span.number}" + ("" if span.version is None else f" version {span.version}")
