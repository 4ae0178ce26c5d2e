"""Finds the spans of a corpus and chooses which to read; placeholders have TFX's meaning.

Of several versions of a span, the greatest is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tfx.components.example_gen import utils
from tfx.proto import example_gen_pb2

from components.corpus_example_gen.inputs import files, patterns, span_names
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.inputs.patterns import SplitPattern
from components.corpus_example_gen.inputs.span_names import Span
from trainer.errors import JobError


class Resolved(NamedTuple):
    """The newest span to read, and the files of each pattern."""

    newest: Span
    files: list[tuple[SplitPattern, list[CorpusFile]]]


def resolve(given: Sequence[SplitPattern], wanted: int | None, count: int) -> Resolved:
    """Finds the files of the spans to read.

    Args:
        given: The patterns of the corpus.
        wanted: The last span to read, None for the newest.
        count: The number of existing spans to read, at most.

    Raises:
        JobError: If a file or span is missing, or the patterns have different spans.
    """
    specs = {_specs(pattern) for pattern in given}
    if len(specs) > 1:
        found, expected = "paths with and without {SPAN}, {VERSION} or dates", "the same in all paths"
        raise _invalid_specs(found, expected)
    if not any(specs.pop()):
        return Resolved(Span(0, None), [(pattern, files.require_files(pattern.pattern)) for pattern in given])
    found_by = [(pattern, span_names.find(pattern.pattern)) for pattern in given]
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
    if invalid := patterns.invalid_number(pattern.pattern):
        raise _invalid_specs(*invalid)
    return found


def _invalid_specs(found: str, expected: str) -> JobError:
    return JobError("The corpus path has invalid placeholders.", where="corpus.path", found=found, expected=expected)


def _choose(spans: Iterable[Span], pattern: str, wanted: int | None, count: int) -> list[Span]:
    """Returns the last `count` spans up to `wanted` in their newest versions, oldest first."""
    newest = span_names.newest_versions(spans)
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
