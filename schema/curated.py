"""Where the curated schemas are."""

from __future__ import annotations

from pathlib import Path

LABELLED_TEXT = "labelled_text"


def path(name: str) -> Path:
    """Returns the file of the curated schema of a kind of corpus, `labelled_text` for one."""
    return Path(__file__).parent / f"{name}.pbtxt"
