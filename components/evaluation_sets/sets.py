"""Sets of questions for word vectors, and how much of them a vocabulary covers."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from components.evaluation_sets.set_files import Question, Reader, read_analogies, read_pairs
from components.evaluation_sets.settings import EvaluationSettings
from trainer.vectors.judgement_features import ANALOGY, SIMILARITY
from trainer.vectors.lookup import ABSENT, WordLookup


@dataclasses.dataclass(frozen=True)
class QuestionSet:
    """The questions of a file.

    Attributes:
        name: The set's name.
        task: The type of its questions, `SIMILARITY` or `ANALOGY`.
        questions: The questions in the order of the file.
    """

    name: str
    task: str
    questions: Sequence[Question]


def read_sets(settings: EvaluationSettings) -> Iterator[QuestionSet]:
    """Reads the files of pairs, then those of analogies, in the order of the configuration.

    Raises:
        JobError: If a line cannot be parsed.
    """
    kinds: tuple[tuple[str, dict[str, str], Reader], ...] = (
        (SIMILARITY, settings.pairs, read_pairs),
        (ANALOGY, settings.analogies, read_analogies),
    )
    for task, paths, reader in kinds:
        for name, path in paths.items():
            with tf.io.gfile.GFile(path, "rb") as file:
                yield QuestionSet(name, task, reader(file.read(), path))


@dataclasses.dataclass(frozen=True)
class SetCoverage:
    """How much of a set a vocabulary covers.

    Attributes:
        asked: The number of questions.
        known: The number of questions whose words are all in the vocabulary.
        gates: Whether that is enough for the set to count for gates.
    """

    asked: int
    known: int
    gates: bool

    def to_json(self) -> dict[str, Any]:
        """Returns the fields and the share of known questions."""
        return {"asked": self.asked, "known": self.known, "share": self.known / self.asked, "gates": self.gates}


def coverage(lookup: WordLookup, question_set: QuestionSet, min_coverage: float) -> SetCoverage:
    """Counts the questions of a non-empty set whose words all have vectors, with the lookup of the model.

    The set counts for gates from a share of `min_coverage`; a rank correlation also needs two pairs.
    """
    words = sorted({word for question in question_set.questions for word in question.words})
    found = (lookup.folded(tf.constant(words)) != ABSENT).numpy().tolist()
    known = set(itertools.compress(words, found))
    answered = sum(known.issuperset(question.words) for question in question_set.questions)
    required = 2 if question_set.task == SIMILARITY else 1
    gates = answered >= required and answered / len(question_set.questions) >= min_coverage
    return SetCoverage(len(question_set.questions), answered, gates)
