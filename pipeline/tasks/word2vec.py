"""Word vectors: skip-gram and CBOW."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from components.evaluation_sets.set_files import read_analogies, read_pairs
from components.evaluation_sets.settings import HELD_OUT, EvaluationSettings
from pipeline.config.checks import segment_problems
from pipeline.config.job import Job
from pipeline.config.job_files import JobFile
from pipeline.tasks.metric import Metric
from pipeline.tasks.task import DATA, MODEL, WARM_START, Goal, Task
from trainer.data.kinds import PLAIN_TEXT
from trainer.errors import Problem
from trainer.word2vec.settings import Word2vecSettings

_METRICS = "trainer.word2vec.metrics"


class Word2vecJob(Job):
    """A job that trains vectors of words."""

    task: Annotated[Literal["word2vec"], Field(description="word2vec: vectors of words.")]
    trainer: Word2vecSettings = Field(default_factory=Word2vecSettings, description="The vectors and their training.")
    evaluation: EvaluationSettings = Field(
        default_factory=EvaluationSettings,
        description="How to evaluate the vectors, in addition to the loss on held-out documents.",
    )

    def files(self) -> Iterator[JobFile]:
        """Yields the files that the job names besides its corpus."""
        yield from super().files()
        for kind, parse in (("pairs", read_pairs), ("analogies", read_analogies)):
            for name, path in getattr(self.evaluation, kind).items():
                yield JobFile(("evaluation", kind, name), path, "evaluation", parse)

    def problems(self) -> Iterator[Problem]:
        """Yields the keys that are valid alone but not together."""
        yield from super().problems()
        corpus = self.corpus
        if corpus.kind.tokenized:
            found = f"tagged tokens from format {corpus.format}"
            yield Problem(("corpus", "format"), "A word2vec job needs plain text.", found, "documents of text")
        for key in ("multi_label", "weight"):
            if getattr(corpus, key):
                what = f"A word2vec job cannot have corpus.{key}."
                yield Problem(("corpus", key), what, f"corpus.{key}", fix=f"remove {key}")
        if self.trainer.boundary == "segment":
            yield from segment_problems(("trainer", "boundary"), "segment", self.transform)
        for name, key in (("spearman", "pairs"), ("analogy_accuracy", "analogies")):
            if name in self.gates and not getattr(self.evaluation, key):
                what, fix = f"A gate on {name} needs evaluation.{key}.", f"name a file under evaluation.{key}"
                yield Problem(("gates", name), what, f"no evaluation.{key}", fix=fix)


class Word2vecTask(Task[Word2vecJob]):
    """Vectors of words, evaluated on word pairs, analogies and held-out documents."""

    name = "word2vec"
    about = "vectors of words"
    job = Word2vecJob
    suits = MappingProxyType({PLAIN_TEXT: "loss: {max_rise: 0.1}"})
    evaluated = ("EvaluationSets", "evaluation_examples")

    def components(self, job: Word2vecJob, goal: Goal = "publish") -> tuple[str, ...]:
        """Returns the components that a goal needs, in the order they run."""
        warm = (WARM_START,) if job.trainer.warm_start else ()
        return (*DATA, "EvaluationSets", *warm, *MODEL) if goal == "publish" else DATA

    def training(self, job: Word2vecJob) -> str:
        """Returns the dotted path of the training."""
        del job
        return "trainer.word2vec.training:WORD2VEC"

    def metrics(self, job: Word2vecJob) -> Mapping[str, Metric]:
        """Returns the metrics by name; gates on sets use those that the vocabulary covers."""
        covered, pairs, analogies = {"gates": "1"}, tuple(job.evaluation.pairs), tuple(job.evaluation.analogies)
        metric = functools.partial(Metric, records="the evaluation")
        return {
            "spearman": metric("higher", f"{_METRICS}:spearman", -1, 1, slice=covered, sources=pairs),
            "analogy_accuracy": metric(
                "higher", f"{_METRICS}:analogy_accuracy", 0, 1, slice=covered, sources=analogies
            ),
            "coverage": metric("higher", f"{_METRICS}:coverage", 0, 1, gated=False),
            "loss": metric("lower", f"{_METRICS}:held_out_loss", 0, sources=(HELD_OUT,)),
        }

    def slices(self, job: Word2vecJob) -> Sequence[Sequence[str]]:
        """Returns the features to slice the evaluation by, in addition to the overall slice."""
        del job
        return [["gates"], ["source", "gates"], ["source", "section"]]

    def evaluation(self, job: Word2vecJob) -> EvaluationSettings:
        """Returns the evaluation sets that replace the test split."""
        return job.evaluation

    def answers(self) -> Mapping[str, str]:
        """Returns the dotted path of the class that answers each command."""
        return dict.fromkeys(("neighbors", "analogy", "vectors"), "trainer.word2vec.answers:WordVectorAnswers")

    def report(self, training: Mapping[str, Any]) -> Iterator[str]:
        """Yields also the number of vectors and the recall of the index."""
        yield from super().report(training)
        yield f"{training['words']:,} words with vectors of {training['dimensions']} dimensions"
        if training.get("index_recall_at_10") is not None:
            yield f"the index finds {training['index_recall_at_10']:.1%} of the ten nearest words"


WORD2VEC = Word2vecTask()
