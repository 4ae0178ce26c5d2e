"""Jobs of task word2vec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.evaluation_sets.settings import HELD_OUT, EvaluationSettings
from pipeline.config import checks
from pipeline.config.run_config import TASK, RunConfig
from pipeline.config.suggestions import did_you_mean
from trainer.errors import Problem
from trainer.word2vec.settings import Word2vecSettings


class Word2vecConfig(RunConfig):
    """A job that trains vectors of words."""

    task: Annotated[Literal["word2vec"], TASK]
    trainer: Word2vecSettings = Field(default_factory=Word2vecSettings, description="The vectors and their training.")
    evaluation: EvaluationSettings = Field(
        default_factory=EvaluationSettings,
        description="How to evaluate the vectors, in addition to the loss on held-out documents.",
    )

    def files(self) -> Iterator[tuple[str, str]]:
        """Yields the key and the path of each file that the job names in addition to its corpus."""
        yield from super().files()
        for kind in ("pairs", "analogies"):
            for name, path in getattr(self.evaluation, kind).items():
                yield f"evaluation.{kind}.{name}", path

    def problems(self) -> Iterator[Problem]:
        """Yields the keys that are valid alone but not together."""
        yield from super().problems()
        corpus = self.corpus
        if corpus.kind == "tagged_text":
            found = f"the tagged tokens of format {corpus.format}"
            yield Problem(("corpus", "format"), "A job of task word2vec needs plain text.", found, "documents of text")
        for key in ("multi_label", "weight"):
            if getattr(corpus, key):
                what = f"A job of task word2vec cannot have corpus.{key}."
                yield Problem(("corpus", key), what, f"corpus.{key}", fix=f"remove {key}")
        if self.trainer.boundary == "segment":
            yield from checks.segment_problems(("trainer", "boundary"), "segment", self.transform)
        yield from self._gate_problems()

    def _gate_problems(self) -> Iterator[Problem]:
        """Yields the gates on sets that do not exist; the sources of the Evaluator's examples are the sets."""
        measured = (
            ("spearman", "evaluation.pairs", tuple(self.evaluation.pairs)),
            ("analogy_accuracy", "evaluation.analogies", tuple(self.evaluation.analogies)),
            ("loss", "", (HELD_OUT,)),
        )
        for metric, key, sets in measured:
            if metric in self.gates and not sets:
                what, fix = f"A gate on {metric} needs {key}.", f"name a file under {key}"
                yield Problem(("gates", metric), what, f"no {key}", fix=fix)
            elif metric in self.gates:
                for name in [name for name in self.gates[metric].slices if name not in sets]:
                    path, what = ("gates", metric, "slices", name), f"{metric} is not measured on {name}."
                    yield Problem(path, what, name, ", ".join(sets), did_you_mean(name, sets))
