"""A small tagged corpus, transformed, and a function that trains on it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

TAGS = ("O", "B-LOC", "I-LOC", "B-PER")
"""The tag of id 0 is a real one."""


def _sentences(split: str, count: int) -> list:
    """Sentences in which the previous word determines the tag of a name."""
    from components.corpus_example_gen.documents import Document

    draw = random.Random(split)
    sentences = []
    for number in range(count):
        pairs = [(f"w{draw.randrange(20)}", "O") for _ in range(draw.randrange(0, 9))]
        for _ in range(draw.randrange(1, 3)):
            name = draw.choice(["Nice", "Paris", "Lea", "a\u00a0b"])
            found = [("in", "O"), (name, "B-LOC"), ("Bay", "I-LOC")]
            pairs += draw.choice([found, found[:2], [("by", "O"), (name, "B-PER")]])
        tokens, tags = zip(*pairs, strict=True)
        sentences.append(Document((), None, draw.choice("ab"), f"{split}-{number}", number + 1, None, tokens, tags))
    return sentences


@pytest.fixture(scope="session")
def tagged(transform_documents):
    """The corpus; the word after `in` is a place, the one after `by` a person."""
    from trainer.data.kinds import TAGGED_TEXT

    documents = {"train": _sentences("train", 80), "eval": _sentences("eval", 30)}
    return transform_documents("tagged", documents, TAGGED_TEXT, {"tokenizer": "whitespace", "min_count": 1}, TAGS)


@pytest.fixture(scope="session")
def train(job_in) -> Callable[..., Path]:
    """A function that trains a tagger on a transformed corpus in a folder, and returns the folder of its SavedModel."""
    from trainer.tagger.settings import TaggerSettings
    from trainer.tagger.training import TAGGER

    def run(corpus, folder: Path, **settings: object) -> Path:
        TAGGER.run(job_in(corpus, folder), TaggerSettings.model_validate(settings))
        return folder / "model"

    return run
