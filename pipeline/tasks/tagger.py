"""Taggers: a tag for every token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.checks import Problem
from pipeline.tasks.gate_checks import gate_problems
from pipeline.tasks.metric import Metric
from pipeline.tasks.supervised_job import SupervisedJob, SupervisedTask
from trainer.tagger.settings import TaggerSettings
from trainer.tagger.spans import not_span_tags

_METRICS = "trainer.tagger.metrics"
_SPANS = ("span_f1", "span_precision", "span_recall")


class TaggerJob(SupervisedJob):
    """A job that trains a tagger of tokens."""

    task: Annotated[Literal["tagger"], Field(description="tagger: a tag for every token.")]
    trainer: TaggerSettings = Field(default_factory=TaggerSettings, description="The model and its training.")

    def problems(self) -> Iterator[Problem]:
        """Yields settings that are valid alone but not together."""
        yield from super().problems()
        corpus, transform = self.corpus, self.transform
        if not corpus.kind.tokenized:
            expected = "format conll, or tf_sequence_example with corpus.tag"
            missing = " without corpus.tag" if corpus.format == "tf_sequence_example" else ""
            found = f"format {corpus.format}{missing}"
            yield Problem(("corpus", "format"), "A tagger needs a tag for each token.", found, expected)
        for key in ("truncate", "pad", "min_length"):
            if getattr(transform, key):
                what, found = "A tagger gives every token a tag.", f"transform.{key}, which drops tokens"
                yield Problem(("transform", key), what, found, "whole sentences", f"remove {key}")
        others = not_span_tags(corpus.tags or ())
        for metric in [name for name in self.gates if name in _SPANS] if others else ():
            found = f"the tags {', '.join(others[:5])}" + (", ..." if len(others) > 5 else "")
            expected = "B-<type>, I-<type> and O under corpus.tags"
            yield Problem(("gates", metric), "Only BIO tags mark spans.", found, expected, "gate token_accuracy")
        yield from gate_problems(self, TAGGER.metrics(None), "A tagger")


class TaggerTask(SupervisedTask[TaggerJob]):
    """A tag for every token, judged by tokens and, for BIO tags, by spans."""

    name = "tagger"
    about = "a tag for every token"
    job = TaggerJob

    def training(self, job: TaggerJob) -> str:
        """Returns the place of what trains."""
        del job
        return "trainer.tagger.training:TAGGER"

    def metrics(self, job: TaggerJob | None) -> Mapping[str, Metric]:
        """Returns the metrics by name, without those of spans where the tags are known and mark none."""
        undefined = "not all tags of the test split are BIO tags (B-<type>, I-<type>, O)"
        spans = {name: Metric("higher", 0, 1, figure=f"{_METRICS}:{name}", undefined=undefined) for name in _SPANS}
        return {
            "token_accuracy": Metric("higher", 0, 1, figure=f"{_METRICS}:token_accuracy"),
            "loss": Metric("lower", 0, figure=f"{_METRICS}:token_loss"),
            **({} if job is not None and not_span_tags(job.corpus.tags or ()) else spans),
        }

    def answers(self) -> Mapping[str, str]:
        """Returns what answers a command about a published model."""
        return {"predict": "trainer.tagger.answers:TagAnswers"}


TAGGER = TaggerTask()
