"""The spans of a job's corpus, with what identifies their files; imports no TFX."""

from __future__ import annotations

import datetime
import hashlib
import json

from components.corpus_example_gen.inputs import span_names
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.value_types import DATE, split_paths
from pipeline.config.job import Job
from pipeline.config.locations import resolve_corpus_path
from trainer.errors import JobError


class CorpusSpans:
    """The spans of a job's corpus.

    Args:
        job: A job whose corpus has spans.

    Raises:
        JobError: If `corpus.span` is the number of one span.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self.dated = any(mark in path for _, path in split_paths(job.corpus.path) for mark in DATE)
        if isinstance(job.corpus.span, int):
            raise JobError(
                "corpus.span cannot be fixed here.",
                where=str(job.path),
                found=f"span: {job.corpus.span}",
                expected="the span of the scheduled time or of the backfill",
                fix="remove corpus.span",
            )

    def stamps(self) -> dict[int, str]:
        """Returns what identifies the files of each existing span by its number, in order.

        It changes with the name, size or time of modification of a file, with the version, and with the spans before
        it in its rolling window.

        Raises:
            JobError: If the corpus cannot be listed.
        """
        patterns = resolve_corpus_path(self._job.corpus.path, self._job.folder)
        by_number: list[dict[int, list[CorpusFile]]] = []
        for pattern in patterns:
            found = span_names.find(pattern.pattern)
            newest = span_names.newest_versions(found)
            by_number.append({number: sorted(found[span]) for number, span in newest.items()})
        numbers = sorted(set.intersection(*map(set, by_number)))
        rolling = self._job.corpus.rolling or 1
        return {
            number: _stamp([found[one] for found in by_number for one in numbers[max(0, end - rolling) : end]])
            for end, number in enumerate(numbers, start=1)
        }

    def name(self, number: int) -> str:
        """Returns the date of a span of dates, or its number."""
        try:
            return span_names.date_of(number).isoformat() if self.dated else str(number)
        except OverflowError:
            return str(number)

    def parse(self, text: str, option: str) -> int:
        """Returns the span of a date, or of a number if the path has {SPAN}.

        Raises:
            JobError: If the text is neither.
        """
        if not self.dated and text.isascii() and text.isdecimal():
            return int(text)
        try:
            return span_names.number_of(datetime.date.fromisoformat(text))
        except ValueError:
            expected = "a date such as 2026-01-31" + ("" if self.dated else ", or a number")
            raise JobError("The span is invalid.", where=option, found=text, expected=expected) from None


def _stamp(groups: list[list[CorpusFile]]) -> str:
    return hashlib.blake2b(json.dumps(groups).encode(), digest_size=16).hexdigest()
