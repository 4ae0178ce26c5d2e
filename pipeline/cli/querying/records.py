"""Texts and words of a command: arguments, lines, JSON lines, or the records of a file in any corpus format."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.corpus_example_gen.format_keys import COLUMN_FORMATS, TAG_FORMATS, ColumnSettings, format_of
from components.corpus_example_gen.settings import CorpusSettings
from pipeline.cli.querying import inputs
from pipeline.cli.querying.inputs import Query
from pipeline.tasks.loading import load
from trainer.errors import JobError
from trainer.jobs.saved_model import quiet

if TYPE_CHECKING:
    from components.corpus_example_gen.documents import Record

_ID = "id"


@contextlib.contextmanager
def open_queries(
    key: str, arguments: list[str] | None, path: Path | None, config: Path | None = None, overrides: Sequence[str] = ()
) -> Iterator[Iterator[Query | JobError]]:
    """Opens the inputs of a command: its arguments, otherwise a file, otherwise the lines of stdin.

    Args:
        key: What an input is, text or word; also the key or column that holds it.
        arguments: Arguments.
        path: A file.
        config: A job's YAML, whose corpus section says how to read the file; None: its suffix does.
        overrides: Overrides of the YAML.

    Yields:
        The inputs, and the errors of records that cannot be read.

    Raises:
        JobError: If two of them are given, or the file cannot be read.
    """
    if arguments and path:
        raise JobError(f"{key.upper()} and --input cannot be combined.", fix="give one of the two")
    if config is None and overrides:
        raise JobError("--set needs --config.", fix="name the job's YAML that it overrides")
    if config is not None and path is None:
        raise JobError("--config needs --input.", fix="name the file that the job's corpus section describes")
    if arguments:
        yield map(Query, inputs.check(arguments, key))
    elif path is None:
        yield inputs.read_lines(sys.stdin.buffer, "stdin")
    else:
        with _readable(path):
            yield _records(path, key, None if config is None else load(config, overrides).corpus)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        path.open("rb").close()
    except OSError as error:
        raise JobError("The input cannot be read.", where=str(path), found=error.strerror) from error
    yield


def _records(path: Path, key: str, settings: CorpusSettings | None) -> Iterator[Query | JobError]:
    if settings is not None and settings.format.startswith("tf_"):
        with quiet():
            import tensorflow  # noqa: F401 - here without its messages
    format_ = format_of(str(path)) or "jsonl"
    if settings is None and format_ == "jsonl":
        yield from _json_lines(path, key)
        return
    given = without_targets(settings or _replaced(CorpusSettings(format=format_, path=str(path)), text=key))
    with_id = _replaced(given, id=_ID)
    if given.id is None and given.format in COLUMN_FORMATS and _ID not in given.text_columns and _reads(path, with_id):
        given = with_id
    for record in _read(path, given):
        yield _query(record, given)


def without_targets(settings: CorpusSettings) -> CorpusSettings:
    """Returns the settings that read the same records without their labels, tags, splits, sources and weights."""
    unused = dict.fromkeys(("label", "labels", "label_separator", "source", "split", "split_values", "weight", "tags"))
    changes: dict[str, Any] = {**unused, "multi_label": settings.format == "fasttext", "segment": "document"}
    columns = settings.columns or ColumnSettings()
    # Tokens stand for their tags.
    changes["columns"] = columns.model_copy(update={"tag": columns.token}) if settings.format == "conll" else None
    if settings.kind.tokenized and settings.format in TAG_FORMATS:
        changes["tag"] = "_" if settings.format == "conllu" else settings.tokens
    return _replaced(settings, **changes)


def _replaced(settings: CorpusSettings, **changes: Any) -> CorpusSettings:
    # model_copy would also copy what a cached property has computed.
    values = {name: getattr(settings, name) for name in CorpusSettings.model_fields}
    return CorpusSettings.model_construct(**{**values, **changes})


def _read(path: Path, settings: CorpusSettings) -> Iterator[Record]:
    from components.corpus_example_gen.readers import formats

    return formats.read(formats.Part(str(path)), settings)


def _reads(path: Path, settings: CorpusSettings) -> bool:
    """Returns whether the first record is a document with these settings."""
    from components.corpus_example_gen.documents import Document

    try:
        return isinstance(next(_read(path, settings), None), Document)
    except JobError:
        return False


def _query(record: Record, settings: CorpusSettings) -> Query | JobError:
    from components.corpus_example_gen.documents import BadRecord

    if isinstance(record, BadRecord):
        return JobError("A record cannot be read.", where=f"{record.file}:{record.line}", found=record.reason)
    text = " ".join(record.tokens) if record.tokens else "\n".join(record.segments)
    return Query(text, record.tokens, None if settings.id is None else record.id)


def _json_lines(path: Path, key: str) -> Iterator[Query | JobError]:
    from components.corpus_example_gen.inputs.files import open_file

    with open_file(str(path)) as file:
        yield from inputs.read_json_lines(file, str(path), key)
