"""The inputs of an execution: file patterns by split, as the driver passes them to the executor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from apache_beam.io.filesystems import FileSystems
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from components.corpus_example_gen.inputs import files, input_spans
from components.corpus_example_gen.inputs.files import CorpusFile
from trainer.errors import JobError

ALL_SPLITS = "corpus"
"""Name of the input whose documents go to all splits."""

_EXTRAS = {"gs": "apache-beam[gcp]", "s3": "apache-beam[aws]", "azfs": "apache-beam[azure]", "hdfs": "hdfs"}


class SplitPattern(NamedTuple):
    """A file pattern relative to the base, with the name of its split or `ALL_SPLITS`."""

    name: str
    pattern: str


def patterns(exec_properties: Mapping[str, Any]) -> tuple[str, list[SplitPattern]]:
    """Returns the base and the patterns relative to it; a split may have several."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], config)
    base: str = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    return base, [SplitPattern(split.name, split.pattern) for split in config.splits]


def require(base: str, wanted: list[SplitPattern]) -> list[tuple[str | None, CorpusFile]]:
    """Returns all files sorted by path, each with its split (None for `ALL_SPLITS`).

    Raises:
        JobError: If a pattern matches no file, or a file belongs to two splits.
    """
    found: dict[str, tuple[str | None, CorpusFile]] = {}
    for name, pattern in wanted:
        split = None if name == ALL_SPLITS else name
        for file in files.require_files(input_spans.join(base, pattern)):
            other, _ = found.setdefault(file.path, (split, file))
            if other != split:
                raise JobError(
                    "A corpus file is in two splits.",
                    where="corpus.path",
                    found=f"{file.path} matches the paths of {other} and {split}",
                    expected="each file in one split",
                    fix="Make the paths of the splits disjoint.",
                )
    return [found[path] for path in sorted(found)]


def require_filesystem(pattern: str) -> None:
    """Checks that Beam has a filesystem for a URL.

    Raises:
        JobError: If it has none.
    """
    try:
        FileSystems.get_filesystem(pattern)
    except ValueError as error:
        scheme = FileSystems.get_scheme(pattern)
        extra = _EXTRAS.get(scheme or "")
        known = ", ".join(f"{name}://" for name in _EXTRAS)
        local = "Write a local path without file://." if scheme == "file" else f"Use one of {known} or a local path."
        raise JobError(
            f"The filesystem of {scheme}:// is not installed." if extra else f"Beam has no filesystem for {scheme}://.",
            where=pattern,
            found=f"a URL that starts with {scheme}://",
            expected="the URL of a filesystem that Beam supports",
            fix=f"pip install '{extra}'" if extra else local,
        ) from error
