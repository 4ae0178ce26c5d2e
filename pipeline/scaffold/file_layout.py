"""The files of a corpus that a user names by a file, a folder or a glob: which are data, and of which split."""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from components.corpus_example_gen.format_keys import format_of, suffix_of
from components.corpus_example_gen.inputs.decompression import codec_named
from components.corpus_example_gen.inputs.patterns import HIDDEN, SPAN_MARK, any_span, local_files
from pipeline.config.locations import PACKAGE, resolve_corpus_path
from trainer.errors import JobError

PathValue = str | list[str]

_ARGUMENT = "CORPUS"
_NO_DATA = re.compile(
    r"(readme|license|licence|changelog|citation)\b.*|.*\.(md|rst|ya?ml|py|ipynb|toml|log|sh|pdf)", re.IGNORECASE
)
"""Names of files that lie next to data."""
_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("eval", "dev", "devel", "val", "valid", "validation", "ev"), "eval"),
    **dict.fromkeys(("test", "testing", "tst", "te"), "test"),
}
_SPLITS = ("train", "eval", "test")
_NO_CLASS = ("unsup", "unlabeled", "unlabelled")
"""Names of folders with documents that have no class."""
_MAX_LISTED = 20
_MODEL = "saved_model.pb"
_ARTIFACTS, _METADATA = "artifacts", ("metadata.sqlite", "store.json")
"""What each root holds: the folder of artifacts and one of the files of its metadata."""


class CorpusFiles(NamedTuple):
    """The files of a corpus.

    Attributes:
        path: corpus.path, absolute unless it is inside a package.
        files: The files in order.
        stem: A name for the corpus.
        remarks: What a user should know of the choice.
    """

    path: PathValue | dict[str, PathValue]
    files: list[str]
    stem: str
    remarks: list[str]

    @property
    def folders(self) -> set[str]:
        """The names of the folders that hold the files."""
        return {posixpath.basename(posixpath.dirname(file)) for file in self.files}

    @property
    def has_classes(self) -> bool:
        """Whether the files are in several folders, whose names are neither splits nor spans."""
        are_splits = isinstance(self.path, dict) and self.folders <= _SPLIT_WORDS.keys()
        return len(self.folders) > 1 and not are_splits and not SPAN_MARK.search(str(self.path))


def find_layout(given: str) -> CorpusFiles:
    """Returns the files of a corpus.

    Args:
        given: A file, a folder, a glob, or a path inside a package, relative to the current folder.

    Raises:
        JobError: If there are no files, or none with data, or they are results of runs.
    """
    if "://" in given:
        fix = "download a part of it, and set corpus.path in the YAML to the URL afterwards"
        raise JobError("A URL cannot be examined.", where=_ARGUMENT, found=given, expected="a local path", fix=fix)
    folder = Path(given).expanduser()
    _reject_results(folder)
    if posixpath.isdir(folder):
        return _in_folder(str(folder.absolute()))
    (pattern,) = resolve_corpus_path(given, Path.cwd(), where=_ARGUMENT)
    files = sorted(local_files(any_span(pattern.pattern)))
    path = given if given.startswith(PACKAGE) else pattern.pattern if _is_glob(given, files) else files[0]
    return CorpusFiles(path, files, _stem(given, files), [])


def _reject_results(path: Path) -> None:
    """Raises JobError for a root of seqloom and for a model, whose files may look like texts."""
    folder = path if posixpath.isdir(path) else path.parent
    is_version = folder.name == "variables" and posixpath.exists(folder.parent / _MODEL)
    if path.name == _MODEL or posixpath.exists(path / _MODEL) or is_version or any(path.glob(f"*/{_MODEL}")):
        raise JobError(
            "The corpus is a model.",
            where=f"{_ARGUMENT}, {path}",
            found="a SavedModel",
            expected="a corpus of texts",
            fix="name the texts; `seqloom predict` queries a published model",
        )
    metadata = next((name for name in _METADATA if posixpath.exists(path / name)), None)
    if metadata and posixpath.exists(path / _ARTIFACTS):
        raise JobError(
            "The corpus is the root of a job.",
            where=f"{_ARGUMENT}, {path}",
            found=f"the {_ARTIFACTS} and {metadata} of runs",
            expected="a corpus of texts",
            fix=f"name the texts; `seqloom runs {path}` lists what ran",
        )


def _is_glob(given: str, files: Sequence[str]) -> bool:
    return len(files) > 1 or not posixpath.exists(Path(given).expanduser())


def _stem(given: str, files: Sequence[str]) -> str:
    if len(files) == 1:
        return _without_suffixes(posixpath.basename(files[0]))
    fixed = re.split(r"[*?\[{]", given)[0].rpartition("/")[0]
    return posixpath.basename(posixpath.abspath(fixed)) or "corpus"


def _without_suffixes(name: str) -> str:
    codec = codec_named(name)
    plain = name[: name.rfind(".")] if codec else name
    return posixpath.splitext(plain)[0] or plain


def _in_folder(folder: str) -> CorpusFiles:
    stem = posixpath.basename(folder) or "corpus"
    direct, remarks = _data_files(folder)
    subfolders = _subfolders(folder)
    inner = {name: _data_files(posixpath.join(folder, name))[0] for name in subfolders}
    inner = {name: files for name, files in inner.items() if files}
    split_folders = {name: _SPLIT_WORDS[name.lower()] for name in subfolders if name.lower() in _SPLIT_WORDS}
    if not direct and len(subfolders) == 1:
        return _in_folder(posixpath.join(folder, subfolders[0]))._replace(stem=stem)
    if not direct and "train" in split_folders.values():
        return _by_split_folder(folder, split_folders, stem)
    if len(inner) > 1 and sum(map(len, inner.values())) > len(direct):
        return _by_class_folder(folder, inner, stem)
    if not direct:
        raise JobError(
            "The folder has no files with texts.",
            where=f"{_ARGUMENT}, {folder}",
            found=f"the folders {', '.join(subfolders[:5])}" if subfolders else "no data files",
            expected="data files, or at least two folders of them, one per class",
            fix="name the files, with a glob if they are several",
        )
    by_split: dict[str, list[str]] = defaultdict(list)
    for file in direct:
        by_split[_split_of(posixpath.basename(file))].append(file)
    if "train" in by_split and len(by_split.keys() & set(_SPLITS)) > 1:
        return _by_split(
            {split: by_split[split] for split in _SPLITS if split in by_split}, by_split[""], stem, remarks
        )
    return CorpusFiles(_expression(direct), direct, stem, remarks)


def _subfolders(folder: str) -> list[str]:
    names = (entry.name for entry in os.scandir(folder) if entry.is_dir())
    return sorted(name for name in names if not name.startswith(HIDDEN))


def _data_files(folder: str) -> tuple[list[str], list[str]]:
    """Returns the files of the kind that holds most bytes in a folder, and a remark if there are others."""
    found = list(local_files(f"{glob.escape(folder)}/*"))
    groups: dict[str, list[str]] = defaultdict(list)
    for file in found:
        if not _NO_DATA.fullmatch(posixpath.basename(file)):
            groups[format_of(file) or suffix_of(file)].append(file)
    if not groups:
        return [], []
    sizes = {kind: sum(map(posixpath.getsize, files)) for kind, files in groups.items()}
    best = max(groups, key=lambda kind: sizes[kind])
    others = [file for kind, files in groups.items() if kind != best for file in files]
    left = [f"Left out: {_names(others)}; name a file to take another one."] if others else []
    return groups[best], left


def _names(files: Sequence[str]) -> str:
    names = ", ".join(posixpath.basename(file) for file in files[:4])
    return names + (f" and {len(files) - 4:,} more" if len(files) > 4 else "")


def _split_of(name: str) -> str:
    """Returns the split in the name of a file, or an empty text."""
    splits = {_SPLIT_WORDS[word] for word in re.findall(r"[a-z]+", name.lower()) if word in _SPLIT_WORDS}
    return splits.pop() if len(splits) == 1 else ""


def _by_split(files: Mapping[str, list[str]], others: Sequence[str], stem: str, remarks: list[str]) -> CorpusFiles:
    """Returns files by split if all splits are there, otherwise those of the train split alone."""
    if others:
        remarks = [*remarks, f"Left out: {_names(others)}, of no split by name."]
    if len(files) == len(_SPLITS):
        path = {split: _expression(files[split]) for split in _SPLITS}
        return CorpusFiles(path, [file for split in _SPLITS for file in files[split]], stem, remarks)
    (missing,) = set(_SPLITS) - set(files)
    held = [file for split in files if split != "train" for file in files[split]]
    remark = f"Left out: {_names(held)}, because given splits need files of all three, and none is named {missing}."
    return CorpusFiles(_expression(files["train"]), files["train"], stem, [*remarks, remark])


def _by_split_folder(folder: str, names: Mapping[str, str], stem: str) -> CorpusFiles:
    layouts = {split: _in_folder(posixpath.join(folder, name)) for name, split in names.items()}
    remarks = [remark for layout in layouts.values() for remark in layout.remarks]
    if len(layouts) < len(_SPLITS):
        missing = ", ".join(sorted(set(_SPLITS) - set(layouts)))
        left = ", ".join(name for name, split in names.items() if split != "train")
        train = layouts["train"]
        if left:
            reason = f"because given splits need all three, and no folder is named {missing}"
            remarks.append(f"Left out: the folder {left}, {reason}.")
        return CorpusFiles(train.path, train.files, stem, remarks)
    paths: dict[str, PathValue] = {}
    for split in _SPLITS:
        path = layouts[split].path
        paths[split] = [one for value in path.values() for one in _listed(value)] if isinstance(path, dict) else path
    return CorpusFiles(paths, [file for split in _SPLITS for file in layouts[split].files], stem, remarks)


def _listed(paths: PathValue) -> list[str]:
    return [paths] if isinstance(paths, str) else paths


def _by_class_folder(folder: str, inner: Mapping[str, list[str]], stem: str) -> CorpusFiles:
    classes = {name: files for name, files in inner.items() if name.lower() not in _NO_CLASS}
    left = [name for name in inner if name not in classes]
    files = [file for found in classes.values() for file in found]
    suffixes = {posixpath.splitext(file)[1] for file in files}
    suffix = glob.escape(suffixes.pop()) if len(suffixes) == 1 else ""
    path: PathValue = f"{glob.escape(folder)}/*/*{suffix}"
    if left or sorted(local_files(str(path))) != sorted(files):
        path = [f"{glob.escape(posixpath.join(folder, name))}/*{suffix}" for name in classes]
        files = [file for one in path for file in local_files(one)]
    remarks = [f"Left out: the folder {', '.join(left)}, whose documents have no class by its name."] if left else []
    return CorpusFiles(path, files, stem, remarks)


def _expression(files: Sequence[str]) -> PathValue:
    """Returns the shortest path that stands for these files of one folder."""
    folder = posixpath.dirname(files[0])
    if _matches(f"{glob.escape(folder)}/*", files):
        return folder
    if len(files) == 1:
        return files[0]
    names = [posixpath.basename(file) for file in files]
    before, after = posixpath.commonprefix(names), posixpath.commonprefix([name[::-1] for name in names])[::-1]
    pattern = f"{glob.escape(posixpath.join(folder, before))}*{glob.escape(after)}"
    if _matches(pattern, files):
        return pattern
    if len(files) > _MAX_LISTED and _matches(shorter := f"{glob.escape(folder)}/*{_common_suffix(names)}", files):
        return shorter
    return list(files)


def _common_suffix(names: Iterable[str]) -> str:
    suffixes = {posixpath.splitext(name)[1] for name in names}
    return glob.escape(suffixes.pop()) if len(suffixes) == 1 else ""


def _matches(pattern: str, files: Sequence[str]) -> bool:
    return sorted(local_files(pattern)) == sorted(files)
