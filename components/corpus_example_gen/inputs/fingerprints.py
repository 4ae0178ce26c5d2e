"""Fingerprints of files by their content, which is hashed once as long as a file stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from components.corpus_example_gen.inputs import files
from components.corpus_example_gen.inputs.listing import SplitFile
from components.shared.beam_results import write_json

_CHUNK_BYTES = 1 << 20
_MEMORY = "hashes.json"
_CONTENTS = "contents"
"""The folder of a file per fingerprint with the files behind it."""
_REMEMBERED = 10_000
"""Number of hashes to remember, beyond those of the files at hand."""
_SETTLED_NS = 2_000_000_000
"""Age from which a file's times tell any change: file systems have clocks of up to two seconds."""


def fingerprint(found: Sequence[SplitFile], inputs_dir: Path, *, by_folder: bool = False) -> str:
    """Returns a hash of the splits, names and contents of files in their order, with their number and size.

    Folders do not count, unless results depend on their names. Files of other machines count by URL, size and time of
    modification.

    Args:
        found: The files with their splits.
        inputs_dir: The folder of the file that remembers hashes by device, inode, size and times; written anew if it
            cannot be read.
        by_folder: Whether the name of the folder that holds a file counts.

    Raises:
        JobError: If a file cannot be read.
    """
    local = [file.path for _, file in found if files.is_local(file.path)]
    contents = dict(zip(local, _hashes(local, inputs_dir / _MEMORY), strict=True))
    identities = [
        [split, "/".join(file.path.split("/")[-2 if by_folder else -1 :]), contents[file.path]]
        if file.path in contents
        else [split, file.path, file.size, file.modified]
        for split, file in found
    ]
    digest = hashlib.blake2b(digest_size=16)
    for identity in identities:
        digest.update(json.dumps(identity).encode())
    _write_contents(identities, inputs_dir / _CONTENTS / f"{digest.hexdigest()}.json")
    return f"files:{len(found)},bytes:{sum(file.size for _, file in found)},blake2b:{digest.hexdigest()}"


def fingerprinted_files(fingerprint: str, inputs_dir: Path) -> list[tuple[str, str]] | None:
    """Returns the names and contents of the files behind a fingerprint in their order, None if they are not known.

    Names are preceded by their split, if they have one; contents are hashes, or size and time for other machines.
    """
    path = inputs_dir / _CONTENTS / f"{fingerprint.rpartition(':')[2]}.json"
    try:
        identities = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return [
        (f"{split}: {name}" if split else name, " ".join(map(str, content))) for split, name, *content in identities
    ]


def _write_contents(identities: list[list[Any]], path: Path) -> None:
    if not path.exists():
        write_json(identities, str(path))


def _hashes(paths: Sequence[str], memory: Path) -> list[str]:
    known = _read(memory)
    with ThreadPoolExecutor() as pool:
        hashed = list(pool.map(lambda path: _hash(path, known), paths))
    used = {state: value for state, value in hashed if state is not None}
    merged = {**{state: value for state, value in known.items() if state not in used}, **used}
    kept = dict(list(merged.items())[-max(_REMEMBERED, len(used)) :])
    if kept != known:
        write_json(kept, str(memory))
    return [value for _, value in hashed]


def _hash(path: str, known: dict[str, str]) -> tuple[str | None, str]:
    """Returns the state of a file, None if it may still change unnoticed, and the hash of its content."""
    with files.open_stored(path) as (file, _):
        state, settled = _state(file.fileno())
        if state in known:
            return state, known[state]
        value = _digest(file)
        unchanged = settled and _state(file.fileno())[0] == state
    return state if unchanged else None, value


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _state(descriptor: int) -> tuple[str, bool]:
    """Returns what identifies an open file and its content, and whether any later change would differ from it."""
    status = os.fstat(descriptor)
    values = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return ":".join(map(str, values)), status.st_ctime_ns < time.time_ns() - _SETTLED_NS


def _read(memory: Path) -> dict[str, str]:
    try:
        known = json.loads(memory.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    valid = isinstance(known, dict) and all(isinstance(value, str) for value in known.values())
    return known if valid else {}
