"""Renders the YAML of a first job, with the reason for each value."""

from __future__ import annotations

import math
import os
import posixpath
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.corpus_example_gen.detection.guess import number_of
from pipeline.config.locations import PACKAGE
from pipeline.scaffold.examine import Examined
from pipeline.scaffold.file_layout import PathValue

_WIDTH = 118
_COMMENT_COLUMN = 35
_PLAIN = re.compile(r"(?:\.{1,2}/|[A-Za-z/])[\w./*+~-]*(?: [\w./*-]+)*", re.ASCII)
_RESERVED = re.compile(r"(true|false|null|yes|no|on|off|y|n|nan|inf)", re.IGNORECASE)
_MAX_UP = 2
_MAX_CLASSES = 20
_MIN_TEST, _SMALL_TEST = 3, 400
_LONG_DOCUMENT, _TRUNCATED = 2_000, 1_000
_LONGEST_NAME = 64


def job_name(stem: str) -> str:
    """Returns a valid name for a job: `My Reviews` becomes `my-reviews`."""
    slug = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")[:_LONGEST_NAME].rstrip("-_")
    return slug or "corpus"


def render(found: Examined, name: str, folder: Path, command: str) -> str:
    """Returns the text of the YAML.

    Args:
        found: What is known of the corpus.
        name: The job's name.
        folder: The folder of the YAML, which relative paths start from.
        command: The command that writes it, for its first line.
    """
    return "\n".join([*_head(found, name, command), *_corpus(found, folder), *_rest(found)]) + "\n"


def scalar(value: Any) -> str:
    """Returns a value in YAML's flow style; text that could be read as anything else is quoted."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {scalar(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(scalar, value)) + "]"
    text = str(value)
    if not isinstance(value, str) or (_PLAIN.fullmatch(text) and not _RESERVED.fullmatch(text)):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character == "\t":
        return "\\t"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _head(found: Examined, name: str, command: str) -> Iterator[str]:
    counts = found.counts
    yield from _comment(f"Written by `{command}`.")
    looked = "all" if counts.is_complete else "the first"
    bad = sum(counts.bad.values())
    yield from _comment(f"Looked at {looked} {number_of(counts.records, 'record')}, of which {bad:,} are unreadable.")
    for remark in found.remarks:
        yield from _comment(f"- {remark}")
    yield from _comment("Every key and its default: seqloom config schema. After an edit: seqloom config check FILE")
    yield _line("name", name, f"runs go to runs/{name}")
    yield _line("task", found.task.name, found.task.about)
    yield ""


def _corpus(found: Examined, folder: Path) -> Iterator[str]:
    guess, path = found.guess, found.layout.path
    yield "corpus:"
    yield from _entry("format", guess.values["format"], guess.reasons.get("format", ""))
    if isinstance(path, dict):
        yield "  path:"
        for split, paths in path.items():
            yield f"    {split}: {scalar(_placed(paths, folder))}"
    else:
        yield from _entry("path", _placed(path, folder), "")
    for key, value in guess.values.items():
        if key != "format":
            yield from _entry(key, value, guess.reasons.get(key, ""))
    classes = sorted(found.counts.classes)
    if found.settings.label is not None and found.counts.is_complete and 2 <= len(classes) <= _MAX_CLASSES:
        names = {name: name for name in classes} if _are_numbers(classes) else classes
        yield from _comment(f"labels: {scalar(names)}", 2)
        meaning = "value in the corpus: name of the class" if _are_numbers(classes) else "the classes"
        yield from _comment(f"  {meaning}, in the order of their ids; then other values are unreadable records", 2)
    copies = found.counts.duplicates
    if copies and found.settings.kind.target is not None:
        yield f"  # dedupe: true                   # leaves out documents equal to another one: {copies:,} so far"
    yield ""


def _are_numbers(classes: Sequence[str]) -> bool:
    return all(name.lstrip("-").replace(".", "", 1).isdecimal() for name in classes)


def _rest(found: Examined) -> Iterator[str]:
    kind, counts = found.settings.kind, found.counts
    if not isinstance(found.layout.path, dict) and "split" not in found.guess.values:
        yield from _comment("splits: {train: 8, eval: 1, test: 1} by default, by a hash of the document")
        if counts.is_complete and kind.target is not None:
            yield from _about_test(counts.documents // 10, with_margin=not kind.tokenized)
        yield ""
    if kind.tokenized:
        yield "transform:"
        yield from _entry("tokenizer", "whitespace", "the tokens are those of the corpus")
        yield ""
    elif kind.target is not None and counts.longest > _LONG_DOCUMENT:
        yield "transform:"
        reason = f"the longest document has {counts.longest:,} words, the median {counts.median:,.0f}"
        yield from _entry("truncate", {"to": _TRUNCATED, "keep": "head+tail"}, reason)
        yield ""
    yield from _comment("What a model must reach to be published. Look at the metrics of a first run, then set it:")
    yield from _comment("gates:")
    yield from _comment(f"  {found.task.suits[kind]}")


def _about_test(documents: int, *, with_margin: bool) -> Iterator[str]:
    """Yields how uncertain the metrics of a small test split are."""
    if documents < _MIN_TEST:
        yield from _comment("  The corpus is very small: a split may be empty, which fails the run.")
    elif documents < _SMALL_TEST:
        # Twice the standard error of a share, at its largest.
        margin = f"; an accuracy on them is uncertain by ±{1 / math.sqrt(documents):.2f}" if with_margin else ""
        yield from _comment(f"  The corpus is small: the test split will have about {documents:,} documents{margin}.")


def _placed(paths: PathValue, folder: Path) -> Any:
    """Returns paths as the YAML has them: relative to its folder, unless that is far away."""
    if isinstance(paths, list):
        return [_placed(path, folder) for path in paths]
    if paths.startswith(PACKAGE):
        return paths
    relative = os.path.relpath(paths, folder.absolute())
    return paths if relative.split("/").count("..") > _MAX_UP else relative


def _entry(key: str, value: Any, reason: str) -> Iterator[str]:
    """Yields the line of a key of a section, with the reason above it if it is long."""
    line = _line(key, value, reason, 2)
    if len(line) <= _WIDTH:
        yield line
        return
    yield from _comment(reason, 2)
    yield _line(key, value, "", 2)


def _line(key: str, value: Any, comment: str, indent: int = 0) -> str:
    line = f"{' ' * indent}{key}: {scalar(value)}"
    return f"{line:<{_COMMENT_COLUMN - 2}}  # {_visible(comment)}" if comment else line


def _comment(text: str, indent: int = 0) -> Iterator[str]:
    """Yields a comment, broken into lines."""
    width = _WIDTH - indent - 2
    lines = textwrap.wrap(_visible(text), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    yield from (f"{' ' * indent}# {line}" for line in lines)


def _visible(text: str) -> str:
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def default_path(stem: str) -> Path:
    """Returns the YAML's default path, in the current folder."""
    return Path(f"{posixpath.basename(stem)}.yaml")
