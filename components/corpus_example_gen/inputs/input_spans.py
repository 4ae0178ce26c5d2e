"""Finds the spans of a corpus and chooses which to read; placeholders have TFX's meaning.

`{SPAN}` and `{VERSION}` stand for numbers, `{YYYY}`, `{MM}` and `{DD}` for a date, whose span is the number of days
since 1970-01-01. Of several versions of a span, the greatest is read.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
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
    """A span: its number (0 if the paths have no spans) and version (None if the paths have no versions)."""

    number: int
    version: int | None

    def __str__(self) -> str:
        return f"span {self.number}" + ("" if self.version is None else f" version {self.version}")


class Resolved(NamedTuple):
    """The newest span to read, and the file patterns of each split."""

    newest: Span
    patterns: dict[str, list[str]]


def resolve(base: str, patterns: Mapping[str, str], wanted: int | None, count: int) -> Resolved:
    """Finds the spans to read.

    Args:
        base: The folder of the patterns, a glob.
        patterns: The pattern of each split.
        wanted: The last span to read, None for the newest.
        count: The number of existing spans to read, at most.

    Raises:
        JobError: If a span is missing, or the splits have different spans.
    """
    specs = {_specs(split, pattern) for split, pattern in patterns.items()}
    if len(specs) > 1:
        found, expected = "paths with and without {SPAN}, {VERSION} or dates", "the same in the paths of all splits"
        raise _invalid_specs(found, expected)
    if not any(specs.pop()):
        return Resolved(Span(0, None), {split: [pattern] for split, pattern in patterns.items()})
    files_of = {split: _find(base, pattern) for split, pattern in patterns.items()}
    chosen = {split: _choose(spans, join(base, patterns[split]), wanted, count) for split, spans in files_of.items()}
    first, *others = chosen
    for split in others:
        if chosen[split] != chosen[first]:
            raise JobError(
                "The splits have different spans.",
                where="corpus.path",
                found="; ".join(f"{name}: {', '.join(map(str, chosen[name]))}" for name in (first, split)),
                expected="the same spans and versions in all splits",
                fix="Add the missing files, or set corpus.span to a span that all splits have.",
            )
    return Resolved(
        chosen[first][-1],
        {split: sorted(p for span in spans for p in files_of[split][span]) for split, spans in chosen.items()},
    )


def join(base: str, pattern: str) -> str:
    """Returns the full pattern; absolute patterns have an empty base."""
    return posixpath.join(base, pattern)


def glob(pattern: str) -> str:
    """Returns a pattern that matches the files of all spans."""
    return _SPEC.sub("*", pattern)


def _specs(split: str, pattern: str) -> tuple[bool, bool, bool]:
    """Returns whether a pattern has a span, a date and a version."""
    expected = "{SPAN}, or {YYYY}, {MM} and {DD}, once each, and optionally {VERSION}"
    try:
        found: tuple[bool, bool, bool] = utils.verify_split_pattern_specs(
            example_gen_pb2.Input.Split(name=split, pattern=pattern)
        )
    except ValueError as error:
        raise _invalid_specs(str(error), expected) from error
    for name, width in _SPEC.findall(pattern):
        if width and not (name in ("SPAN", "VERSION") and width.isdecimal() and int(width)):
            raise _invalid_specs(f"{{{name}:{width}}}", f"{expected}; a width like {{SPAN:3}}")
    return found


def _invalid_specs(found: str, expected: str) -> JobError:
    return JobError("The corpus path has invalid placeholders.", where="corpus.path", found=found, expected=expected)


def _find(base: str, pattern: str) -> dict[Span, set[str]]:
    """Returns the spans of the matching files with their patterns, whose placeholders are filled in."""
    full = join(base, pattern)
    expression = re.compile(_expression(full))
    patterns: dict[Span, set[str]] = {}
    for file in files.match_files(glob(full)):
        match = expression.fullmatch(file.path)
        values: dict[str, str | None] = match.groupdict() if match else {}
        span = _span(values) if values else None
        if span is None:
            raise JobError(
                "A corpus file has no span in its name.",
                where=file.path,
                found="no number or date in place of the placeholder",
                expected=f"a name like {pattern}",
                fix="Move the file, or make corpus.path match only files of spans.",
            )
        patterns.setdefault(span, set()).add(_filled(pattern, values))
    return patterns


def _choose(spans: Iterable[Span], pattern: str, wanted: int | None, count: int) -> list[Span]:
    """Returns the last `count` spans up to `wanted` in their newest versions, oldest first."""
    newest = {span.number: span for span in sorted(spans, key=lambda span: (span.number, span.version or 0))}
    if not newest or (wanted is not None and wanted not in newest):
        last = ", ".join(map(str, [*newest][-5:]))
        raise JobError(
            "The corpus has no spans." if not newest else f"The corpus has no span {wanted}.",
            where=pattern,
            found="no matching file" if not newest else f"{len(newest)} spans, the last {last}",
            expected="at least one span" if wanted is None else f"files of span {wanted}",
            fix="Check corpus.path and corpus.span; the span of a date is its number of days since 1970-01-01.",
        )
    return [span for number, span in newest.items() if wanted is None or number <= wanted][-count:]


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


def _filled(pattern: str, values: Mapping[str, str | None]) -> str:
    return _SPEC.sub(lambda spec: values[_NAMES[spec[1]]] or "", pattern)


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
