"""Finds the spans of a corpus and chooses which to read; placeholders have TFX's meaning.

`{SPAN}` and `{VERSION}` stand for numbers, `{YYYY}`, `{MM}` and `{DD}` for a date, whose span is the number of days
since 1970-01-01. Of several versions of a span, the greatest is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tfx.components.example_gen import utils
from tfx.proto import example_gen_pb2

from components.corpus_example_gen.inputs import files
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.inputs.patterns import SPAN_MARK, SplitPattern, any_span
from trainer.errors import JobError

_TOKEN = re.compile(
    r"\{SPAN(?::(?P<span_width>[^}]*))?(?P<span>\})|\{VERSION(?::(?P<version_width>[^}]*))?(?P<version>\})"
    r"|(?P<year>\{YYYY\})|(?P<month>\{MM\})|(?P<day>\{DD\})"
    r"|(?P<some>\*)|(?P<one>\?)|\[(?P<negated>!?)(?P<set>\]?[^]]*)\]"
)
_ADJACENT = re.compile(r"\{SPAN\}\{VERSION\}|\{VERSION\}\{SPAN\}")
_DIGITS = {"span": "[0-9]+", "version": "[0-9]+", "year": "[0-9]{4}", "month": "[0-9]{2}", "day": "[0-9]{2}"}


class Span(NamedTuple):
    """A span: its number (0 if the paths have no spans) and version (None if the paths have no versions)."""

    number: int
    version: int | None

    def __str__(self) -> str:
        return f"span {self.number}" + ("" if self.version is None else f" version {self.version}")


class Resolved(NamedTuple):
    """The newest span to read, and the files of each pattern."""

    newest: Span
    files: list[tuple[SplitPattern, list[CorpusFile]]]


def resolve(patterns: Sequence[SplitPattern], wanted: int | None, count: int) -> Resolved:
    """Finds the files of the spans to read.

    Args:
        patterns: The patterns of the corpus.
        wanted: The last span to read, None for the newest.
        count: The number of existing spans to read, at most.

    Raises:
        JobError: If a file or span is missing, or the patterns have different spans.
    """
    specs = {_specs(pattern) for pattern in patterns}
    if len(specs) > 1:
        found, expected = "paths with and without {SPAN}, {VERSION} or dates", "the same in all paths"
        raise _invalid_specs(found, expected)
    if not any(specs.pop()):
        return Resolved(Span(0, None), [(pattern, files.require_files(pattern.pattern)) for pattern in patterns])
    found_by = [(pattern, _find(pattern.pattern)) for pattern in patterns]
    chosen = [(pattern, _choose(spans, pattern.pattern, wanted, count)) for pattern, spans in found_by]
    (first, spans), *others = chosen
    for other, different in others:
        if different != spans:
            names = [first.name, other.name] if first.name != other.name else [first.pattern, other.pattern]
            raise JobError(
                "The splits have different spans." if first.name != other.name else "The paths have different spans.",
                where="corpus.path",
                found="; ".join(
                    f"{name}: {', '.join(map(str, each))}" for name, each in zip(names, (spans, different), strict=True)
                ),
                expected="the same spans and versions in all splits and paths",
                fix="Add the missing files, or set corpus.span to a span that all of them have.",
            )
    return Resolved(
        spans[-1], [(pattern, sorted(file for span in spans for file in found[span])) for pattern, found in found_by]
    )


def _specs(pattern: SplitPattern) -> tuple[bool, bool, bool]:
    """Returns whether a pattern has a span, a date and a version."""
    expected = "{SPAN}, or {YYYY}, {MM} and {DD}, once each, and optionally {VERSION}"
    try:
        found: tuple[bool, bool, bool] = utils.verify_split_pattern_specs(
            example_gen_pb2.Input.Split(name=pattern.name, pattern=pattern.pattern)
        )
    except ValueError as error:
        raise _invalid_specs(str(error), expected) from error
    for name, width in SPAN_MARK.findall(pattern.pattern):
        if width and not (name in ("SPAN", "VERSION") and width.isdecimal() and int(width)):
            raise _invalid_specs(f"{{{name}:{width}}}", f"{expected}; a width like {{SPAN:3}}")
    if adjacent := _ADJACENT.search(pattern.pattern):
        raise _invalid_specs(adjacent[0], "a character between two numbers, or a width like {SPAN:3}")
    return found


def _invalid_specs(found: str, expected: str) -> JobError:
    return JobError("The corpus path has invalid placeholders.", where="corpus.path", found=found, expected=expected)


def _find(pattern: str) -> dict[Span, list[CorpusFile]]:
    """Returns the matching files by span."""
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
