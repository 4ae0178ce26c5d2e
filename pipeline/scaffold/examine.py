"""Looks at a corpus, chooses how to read it and what to train on it, and tries the choice with the readers."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from components.corpus_example_gen.detection.detect import detect, detect_plain_text
from components.corpus_example_gen.detection.guess import Guess, Sample, Wanted, number_of, require_column, shown, take
from components.corpus_example_gen.detection.survey import Survey, survey
from components.corpus_example_gen.format_keys import format_of
from components.corpus_example_gen.settings import FOLDER, CorpusSettings
from pipeline.config import source as yaml_source
from pipeline.config import validation_errors
from pipeline.scaffold.file_layout import CorpusFiles, find_layout
from pipeline.tasks.registry import task_for
from pipeline.tasks.task import Task
from trainer.errors import JobError

_JOINED_FILES = 200
_JOINED_BYTES = 64 << 10
_FEW_FILES, _FEW_PER_CLASS = 20, 3
_SMALL_FILE = 100 << 10
_MAX_BAD = 0.5
_USUAL_BAD: float = CorpusSettings.model_fields["max_bad_fraction"].default


class Examined(NamedTuple):
    """What is known of a corpus.

    Attributes:
        layout: Its files.
        guess: How to read them, with reasons.
        settings: The same settings, validated.
        counts: What the readers have found with them.
        task: The task that suits it.
    """

    layout: CorpusFiles
    guess: Guess
    settings: CorpusSettings
    counts: Survey
    task: Task[Any]

    @property
    def remarks(self) -> list[str]:
        """What a user should know in addition to the settings."""
        return [*self.layout.remarks, *self.guess.remarks]


def examine(given: str, wanted: Wanted) -> Examined:
    """Looks at a corpus.

    Args:
        given: A file, a folder, a glob, or a path inside a package.
        wanted: The columns that the user has named.

    Raises:
        JobError: If the corpus is missing, empty or of no known format, or cannot be used.
    """
    layout = find_layout(given)
    guess = _guess(layout, _sample(layout), wanted)
    settings = _validated({**_tuples(guess.values), "path": _tuples(layout.path)}, given)
    counts = survey(layout.files, settings)
    _check(settings, counts, given)
    _describe_classes(guess, settings, counts)
    if counts.bad_share > _USUAL_BAD:
        # Twice the share of the sample, so that the rest may be somewhat worse.
        allowed = min(math.ceil(counts.bad_share * 200) / 100, 1.0)
        guess.set("max_bad_fraction", allowed, f"{counts.bad_share:.1%} of the records are unreadable, see quarantine/")
    return Examined(layout, guess, settings, counts, task_for(settings.kind))


def _validated(values: dict[str, Any], given: str) -> CorpusSettings:
    try:
        return CorpusSettings.model_validate(values)
    except ValidationError as error:
        source = yaml_source.Source(given, values, locations={(): given})
        raise validation_errors.combine(given, validation_errors.explain(error, source, CorpusSettings)) from error


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _sample(layout: CorpusFiles) -> Sample:
    """Returns the start of the first file that is not empty."""
    samples = map(take, layout.files)
    sample = next((sample for sample in samples if sample.data), None)
    if sample is None:
        where = layout.files[0] if len(layout.files) == 1 else posixpath.dirname(layout.files[0])
        found = "a file of 0 bytes" if len(layout.files) == 1 else f"{len(layout.files):,} files of 0 bytes"
        raise JobError("The corpus is empty.", where=where, found=found, expected="records with texts")
    return sample


def _guess(layout: CorpusFiles, sample: Sample, wanted: Wanted) -> Guess:
    if wanted.label != "" and layout.has_classes and format_of(sample.path) in (None, "text"):
        for option, name in (("--text", wanted.text), ("--label", wanted.label)):
            if name is not None and (option, name) != ("--label", FOLDER):
                require_column(option, name, [], f"{posixpath.dirname(sample.path)}, a folder of texts")
        guess = detect_plain_text(_joined(layout))
        guess.set("format", "text", "several folders of text files")
        if len(layout.files) >= _FEW_PER_CLASS * len(layout.folders):
            guess.set("document", "file", "each file is one document")
        guess.set("label", FOLDER)
        return guess
    guess = detect(sample, wanted)
    if guess.values["format"] == "text" and len(layout.files) >= _FEW_FILES:
        mean = sum(map(posixpath.getsize, layout.files)) / len(layout.files)
        if mean < _SMALL_FILE:
            guess.set("document", "file", f"{len(layout.files):,} files of {mean / 1024:,.1f} KB on average")
    return guess


def _joined(layout: CorpusFiles) -> Sample:
    """Returns the starts of many files, one after the other."""
    step = max(len(layout.files) // _JOINED_FILES, 1)
    starts = [take(path, _JOINED_BYTES).data for path in layout.files[::step]]
    return Sample(posixpath.dirname(layout.files[0]), b"\n".join(starts) + b"\n", False)


def _check(settings: CorpusSettings, counts: Survey, given: str) -> None:
    """Raises JobError if no model can be trained on a corpus."""
    if counts.bad_share > _MAX_BAD or not counts.documents:
        reasons = ", ".join(f"{count:,} times {reason}" for reason, count in counts.bad.most_common(3))
        first = counts.first_bad
        raise JobError(
            "Most records of the corpus cannot be read."
            if counts.documents
            else "No record of the corpus can be read.",
            where=given if first is None else f"{first.file}, line {first.line}",
            found=f"{reasons or 'no records'}; read as format {settings.format}",
            expected="records with texts, at most half of them bad",
            fix=None if first is None else f"the first reason is {first.reason}; repair the file, or name the columns",
        )
    if settings.kind.target is None or len(counts.classes) > 1 or not counts.is_complete:
        return
    name = "tag" if settings.kind.tokenized else "class"
    raise JobError(
        f"The corpus has only one {name}." if counts.classes else f"The corpus has no {name}.",
        where=given,
        found=f"{shown(counts.classes) or 'none'} in all {counts.documents:,} documents"
        + (f", in the column {settings.label}" if settings.label and not settings.label_is_folder else ""),
        expected=f"at least two {'tags' if name == 'tag' else 'classes'}",
        fix='name another column with --label, or --label "" for none' if settings.label else None,
    )


def _describe_classes(guess: Guess, settings: CorpusSettings, counts: Survey) -> None:
    """Adds the classes with their counts to the reason of the key that holds them."""
    if settings.kind.target is None or settings.kind.tokenized:
        return
    names = [f"{name} {count:,}" for name, count in counts.classes.most_common()]
    key = "label" if settings.label is not None else "format"
    _, comma, why = guess.reasons.get(key, "").partition(", ")
    classes = f"{number_of(len(names), 'class', 'classes')}: {shown(names, 8)}"
    guess.reasons[key] = (
        f"{guess.reasons['format']}; {classes}" if key == "format" else f"{classes}{comma and '; '}{why}"
    )
    if len(counts.classes) < 2:
        guess.remarks.append("The records that were looked at have one class; the corpus may be sorted by class.")
    if counts.duplicates > counts.documents / 2:
        what = f"{counts.duplicates:,} of {counts.documents:,} documents are copies of others"
        guess.remarks.append(f"{what}, and copies are in the same split, unless corpus.id names a column of ids.")
    rare = [name for name, count in counts.classes.items() if count < 10]
    if rare and counts.is_complete:
        guess.remarks.append(
            f"Rare classes, of fewer than 10 documents, may be missing in a split: {shown(sorted(rare), 6)}."
        )
