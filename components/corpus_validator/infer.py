"""Infers a draft schema of a corpus for review: the curated schema of its kind, refined by the documents."""

from __future__ import annotations

import dataclasses
import math
import posixpath
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam import pvalue
from google.protobuf import text_format
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2

from components.corpus_example_gen.documents import BadRecord
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.readers import formats
from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.writing.encode import encode
from components.corpus_validator import scripts
from components.corpus_validator.statistics import ComputeStatistics, FeatureView, StatisticsView, load
from components.shared.beam_results import WriteJson, read_json
from schema import curated
from trainer.data import features
from trainer.errors import JobError

_MAX_CLASSES = 200
_SHOWN_VALUES = 10
_SCRIPT_SHARE = 0.95
_MAX_SCRIPTS = 3
_SLACK = 0.03
"""How far the share that the rule requires is below the observed one, unless the default is lower still."""


@dataclasses.dataclass(frozen=True)
class Observed:
    """What was observed in a corpus.

    Attributes:
        statistics: The statistics of its raw examples.
        letters: Its letters by script, as `scripts.count_letters` returns them.
        bad: The number of bad records.
    """

    statistics: StatisticsView
    letters: NDArray[np.int64]
    bad: int


class _ObservePart(beam.DoFn):
    """Turns a part of a file into serialized raw examples, and a report of its letters and bad records."""

    def __init__(self, settings: CorpusSettings) -> None:
        self._settings = settings

    def process(self, element: formats.Part) -> Iterator[bytes | pvalue.TaggedOutput]:
        """Yields the examples; the report is tagged `reports`."""
        letters, bad, first, failed = scripts.count_letters(""), 0, "", None
        try:
            for record in formats.read(element, self._settings):
                if isinstance(record, BadRecord):
                    bad += 1
                    first = first or f"{record.file}, line {record.line}: {record.reason}"
                    continue
                letters += scripts.count_letters("\n".join(record.segments or record.tokens))
                yield encode(record)
        except JobError as error:
            failed = error.args  # Beam would turn the error into text.
        report = {"letters": letters.tolist(), "bad": bad, "first": first, "failed": failed}
        yield pvalue.TaggedOutput("reports", report)


def observe(
    files: Sequence[CorpusFile],
    settings: CorpusSettings,
    make_pipeline: Callable[[], beam.Pipeline],
    scratch: str,
) -> Observed:
    """Reads a corpus like CorpusExampleGen, and computes the statistics of its raw examples.

    Args:
        files: The files of the corpus.
        settings: How to read the files.
        make_pipeline: Creates the Beam pipeline.
        scratch: A folder for intermediate files.

    Raises:
        JobError: If a file cannot be read or the files have no documents.
    """
    parts = [part for file in files for part in formats.parts(file, settings)]
    with make_pipeline() as pipeline:
        read = (
            pipeline
            | "Parts" >> beam.Create(parts)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_ObservePart(settings)).with_outputs("reports", main="examples")
        )
        _ = read["examples"] | "Compute" >> ComputeStatistics(posixpath.join(scratch, "statistics.pb"))
        _ = read["reports"] | "Report" >> WriteJson(posixpath.join(scratch, "reports.json"))
    reports: list[dict[str, Any]] = read_json(posixpath.join(scratch, "reports.json"))
    for what, where, found, expected, fix in filter(None, (report["failed"] for report in reports)):
        raise JobError(what, where=where, found=found, expected=expected, fix=fix)
    view = StatisticsView(load(posixpath.join(scratch, "statistics.pb")))
    bad = sum(report["bad"] for report in reports)
    if not view.documents:
        first = min(filter(None, (report["first"] for report in reports)), default="")
        raise JobError(
            "A schema cannot be inferred without documents.",
            where=", ".join(file.path for file in files),
            found=f"no documents, {bad} bad records" + (f"; {first}" if first else ""),
            fix="describe the corpus with options, for example --text COLUMN, or pass a job's YAML",
        )
    letters = sum((np.array(report["letters"], np.int64) for report in reports), scripts.count_letters(""))
    return Observed(view, letters, bad)


def infer(observed: Observed, settings: CorpusSettings) -> tuple[schema_pb2.Schema, dict[str, list[str]]]:
    """Returns a draft schema of an observed corpus, and comment lines with the observations by feature."""
    schema = curated.for_corpus(
        settings.kind.name, named_sources=settings.source is not None, weighted=settings.weight is not None
    )
    comments: dict[str, list[str]] = {}
    for path, feature in curated.features(schema):
        view, name = observed.statistics.feature(path), path[-1]
        if view is None:
            continue
        lines = comments.setdefault(name, [])
        if name == settings.kind.target:
            lines.append(_classes(feature, view, settings.class_names or ()))
        if name == features.SOURCE:
            lines.append(f"Sources: {_shares(view.shares())}.")
        if name in (features.TEXT, features.TOKENS):
            lines += _letters(feature, observed.letters)
        if feature.value_counts.value_count:
            lines.append(_lengths(feature, view))
    return schema, {name: lines for name, lines in comments.items() if lines}


def render(schema: schema_pb2.Schema, header: Sequence[str], comments: dict[str, list[str]]) -> str:
    """Formats a schema as protocol-buffer text, with comment lines at its top and, by name, at its features."""
    lines = [f"# {line}" for text in header for line in text.split("\n")]
    above = ""
    # Only "\n" ends a line of the format; values may hold other line ends, such as U+2028.
    for line in text_format.MessageToString(schema, as_utf8=True).removesuffix("\n").split("\n"):
        if above == "feature {" and line.strip().startswith("name: "):
            indent = line[: len(line) - len(line.lstrip())]
            name = line.strip().removeprefix("name: ").strip('"')
            lines += [f"{indent}# {comment}" for comment in comments.get(name, ())]
        lines.append(line)
        above = line.strip()
    return "\n".join(lines) + "\n"


def _classes(feature: schema_pb2.Feature, view: FeatureView, declared: Sequence[str]) -> str:
    shares = view.shares()
    if not declared and len(shares) > _MAX_CLASSES:
        return f"Too many values for a domain (at least {len(shares):,}): {_shares(shares)}."
    feature.string_domain.name = feature.name
    feature.string_domain.value.extend(declared or sorted(shares))
    return f"Observed: {_shares(shares)}."


def _letters(feature: schema_pb2.Feature, letters: NDArray[np.int64]) -> list[str]:
    shares = scripts.shares(letters)
    if not shares:
        return ["No letters of a known script."]
    chosen: list[str] = []
    for name in list(shares)[:_MAX_SCRIPTS]:
        chosen.append(name)
        if scripts.share(letters, tuple(chosen)) >= _SCRIPT_SHARE:
            # Rounded down to two decimals, so that the corpus itself always passes.
            seen = math.floor(100 * (scripts.share(letters, tuple(chosen)) - _SLACK)) / 100
            feature.annotation.tag.append(f"{scripts.PREFIX}{'+'.join(chosen)}>={min(_SCRIPT_SHARE, seen):g}")
            break
    return [f"Letters: {_shares(shares)}."]


def _lengths(feature: schema_pb2.Feature, view: FeatureView) -> str:
    seen, limits = view.lengths(0), feature.value_counts.value_count[0]
    limits.min = min(1, seen.lowest)
    limits.max = 1 if seen.highest <= 1 else _round_up(2 * seen.highest)
    return f"{seen.lowest:,} to {seen.highest:,} steps per document observed; the limit leaves room."


def _round_up(number: int) -> int:
    """Rounds up to one of 1, 2, 5, 10, 20, 50, ..."""
    power = int(10 ** (len(str(number)) - 1))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= number)


def _shares(shares: dict[str, float]) -> str:
    """Formats the most frequent values with their shares."""
    shown = [f"{ascii(value)[1:-1][:40]} {share:.1%}" for value, share in list(shares.items())[:_SHOWN_VALUES]]
    return ", ".join(shown) + (f" and {len(shares) - _SHOWN_VALUES:,} more" if len(shares) > _SHOWN_VALUES else "")
