"""The files that a run has chosen before its components start, so that a retry does not read files that came later."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import tensorflow as tf

from components.corpus_example_gen.inputs import input_spans
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.inputs.input_spans import Resolved
from components.corpus_example_gen.inputs.patterns import SplitPattern
from components.corpus_example_gen.inputs.span_names import Span
from components.corpus_example_gen.settings import CorpusSettings
from components.shared.beam_results import read_json, write_json


def resolve(patterns: Sequence[SplitPattern], settings: CorpusSettings) -> Resolved:
    """Finds the files of the spans that the settings select.

    Raises:
        JobError: If a file or span is missing, or the patterns have different spans.
    """
    wanted = settings.span if isinstance(settings.span, int) else None
    return input_spans.resolve(patterns, wanted, settings.rolling or 1)


def pin(patterns: Sequence[SplitPattern], settings: CorpusSettings, inputs_dir: str, run_id: str) -> None:
    """Finds the files of a run and writes their list; see `resolve` for errors."""
    write_json(resolve(patterns, settings), _path(inputs_dir, run_id))


def read_pinned(inputs_dir: str, run_id: str) -> Resolved | None:
    """Returns the files that `pin` has written for a run, or None."""
    path = _path(inputs_dir, run_id)
    if not tf.io.gfile.exists(path):
        return None
    newest, found = read_json(path)
    return Resolved(
        Span(*newest), [(SplitPattern(*pattern), [CorpusFile(*file) for file in files]) for pattern, files in found]
    )


def _path(inputs_dir: str, run_id: str) -> str:
    return posixpath.join(inputs_dir, "pinned", f"{run_id}.json")
