"""Bad records as JSON lines, for a person to read and repair."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable

import tensorflow as tf

from components.corpus_example_gen.records import BadRecord

FILE_NAME = "records.jsonl"


def quarantine_file(folder: str) -> str:
    """Returns the path of the quarantine's file in its folder."""
    return posixpath.join(folder, FILE_NAME)


def write_quarantine(folder: str, records: Iterable[BadRecord]) -> None:
    """Writes bad records as JSON lines with the keys file, line, reason and record.

    The file appears under its name only when it is whole, so a retry overwrites it and never adds to it.

    Args:
        folder: Made if missing.
        records: The bad records, in the order in which they are to stand.
    """
    tf.io.gfile.makedirs(folder)
    path = quarantine_file(folder)
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        for record in records:
            file.write(json.dumps(record._asdict(), ensure_ascii=False) + "\n")
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)
