"""The inputs of an execution: the files of all patterns by split, which the driver lists for the executor."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tfx.proto import example_gen_pb2
from tfx.utils import proto_utils

from components.corpus_example_gen.inputs import files, span_names
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from components.shared.beam_results import read_json, write_json
from trainer.errors import JobError

_LISTING = "files.json"

SplitFile = tuple[str | None, CorpusFile]
"""A file with its split, None if its documents go to all splits."""


class Listing(NamedTuple):
    """The files to read, which are no part of the cache's key: their content is.

    Attributes:
        path: corpus.path.
        patterns: What its files match, for messages.
        files: The files in order.
        spans: The number of the span of each file in a rolling window, from 0; empty without a window.
    """

    path: Any
    patterns: str
    files: list[SplitFile]
    spans: list[int]

    def write(self, inputs_dir: str) -> None:
        """Writes the listing atomically."""
        write_json(self, posixpath.join(inputs_dir, _LISTING))


def read_listing(inputs_dir: str) -> Listing:
    """Reads the listing that `Listing.write` has written."""
    given, matching, found, spans = read_json(posixpath.join(inputs_dir, _LISTING))
    return Listing(given, matching, [(split, CorpusFile(*file)) for split, file in found], spans)


def patterns(exec_properties: Mapping[str, Any]) -> list[SplitPattern]:
    """Returns the patterns of a component's parameters; a split may have several, in order."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties["input_config"], config)
    names = [split.name for split in config.splits]
    return [
        SplitPattern(split.name, split.pattern, names[:n].count(split.name)) for n, split in enumerate(config.splits)
    ]


def assign(found: Iterable[tuple[SplitPattern, list[CorpusFile]]]) -> list[SplitFile]:
    """Returns the files of all patterns, each once, in the order of the patterns' lists and then of their paths.

    Raises:
        JobError: If a file belongs to two splits.
    """
    chosen: dict[str, tuple[int, str, SplitFile]] = {}
    for pattern, matches in found:
        split = None if pattern.name == ALL_SPLITS else pattern.name
        for file in matches:
            first = chosen.setdefault(_identity(file.path), (pattern.order, file.path, (split, file)))
            other = first[-1][0]
            if other != split:
                raise JobError(
                    "A corpus file is in two splits.",
                    where="corpus.path",
                    found=f"{file.path} matches the paths of {other} and {split}",
                    expected="each file in one split",
                    fix="Make the paths of the splits disjoint.",
                )
    return [file for *_, file in sorted(chosen.values(), key=lambda each: each[:2])]


def number_spans(found: Iterable[SplitFile], patterns: Iterable[SplitPattern]) -> list[int]:
    """Returns the position of the span of each file among their spans; all 0 for patterns without spans."""
    expressions = [pattern.pattern for pattern in patterns]
    spans = [next((s for e in expressions if (s := span_names.span_of(e, file.path))), None) for _, file in found]
    order = {span: number for number, span in enumerate(sorted({one.number if one else 0 for one in spans}))}
    return [order[span.number if span else 0] for span in spans]


def _identity(path: str) -> str:
    """Returns the same text for all spellings of a path; a link is another file than its target."""
    if not files.is_local(path):
        return path
    folder, name = posixpath.split(path)
    return posixpath.join(posixpath.realpath(folder), name)
