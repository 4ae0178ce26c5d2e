"""Finds and checks the word vectors that a model starts from."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.locations import PACKAGE, absolute_path, exists, resolve_file
from pipeline.runs.published import find_model
from trainer.errors import JobError

_PUBLISHED = "vectors.bin"
_EXPECTED = "the root of a run that publishes word vectors, or a file in word2vec's or GloVe's format"


def find_vectors(source: str, folder: Path, *, where: str) -> Path:
    """Returns the absolute path of an existing file of word vectors that a job names.

    Args:
        source: The root of a run, whose newest version is used; the folder of a version; a file; or `package:` and the
            path of a file inside a package.
        folder: The folder that relative paths start from.
        where: Where `source` is given, for messages.

    Raises:
        JobError: If it does not exist or has no word vectors.
    """
    full = absolute_path(source, folder, where=where)
    found = exists(full, "The word vectors", where=where)
    if full.is_dir():
        return _published(full, where)
    if not (found or full.suffix or source.startswith(PACKAGE)):
        fix = "run the job that publishes word vectors first"
        raise JobError("The word vectors do not exist.", where=where, found=f"no {full}", expected=_EXPECTED, fix=fix)
    file = resolve_file(source, folder, where=where)
    if file.suffix == ".tsv":
        fix = "use vectors.bin or vectors.txt from the same published version"
        raise JobError("The projector file has no words.", where=where, found=str(file), fix=fix)
    return file


def parse_vectors(content: bytes, path: str) -> None:
    """Checks the content of a file of word vectors.

    Raises:
        JobError: If it is invalid.
    """
    from trainer.vectors import vector_reading

    vector_reading.read(path, content)


def _published(root: Path, where: str) -> Path:
    try:
        model = find_model(root)
    except JobError as error:
        location = f"{where}, {error.where}"
        raise JobError(error.what, where=location, found=error.found, expected=_EXPECTED, fix=error.fix) from error
    file = model / _PUBLISHED
    if not file.is_file():
        found = f"{model} without {_PUBLISHED}"
        raise JobError("The published model has no word vectors.", where=where, found=found, expected=_EXPECTED)
    return file
