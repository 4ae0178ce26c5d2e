"""Taggers: a tag for every token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.tasks.metric import Metric
from pipeline.tasks.supervised_job import SupervisedJob, SupervisedTask
from trainer.data.kinds import TAGGED_TEXT
from trainer.errors import Problem
from trainer.tagger.settings import TaggerSettings
from trainer.tagger.spans import not_span_tags

_METRICS = "trainer.tagger.metrics"
_SPANS = ("span_f1", "span_precision", "span_recall")


class TaggerJob(SupervisedJob):
    """A job that trains a tagger of tokens."""

    task: Annotated[Literal["tagger"], Field(description="tagger: a tag for every token.")]
    trainer: TaggerSettings = Field(default_factory=TaggerSettings, description="The model and its training.")

    def problems(self) -> Iterator[Problem]:
        """Yields the keys that are valid alone but not together."""
        yield from super().problems()
        corpus = self.corpus
        if not corpus.kind.tokenized:
            expected = "format conll or conllu, or corpus.tag: the list of the tags in another format"
            found = f"format {corpus.format}" + " without corpus.tag" * corpus.takes_tags
            yield Problem(("corpus", "format"), "A tagger needs a tag for each token.", found, expected)
        for key in ("truncate", "pad", "min_length"):
            if getattr(self.transform, key):
                what, found = f"A tagger cannot have transform.{key}.", f"transform.{key}, which can drop tokens"
                yield Problem(("transform", key), what, found, "whole sentences", f"remove {key}")
        others = not_span_tags(corpus.tags or ())
        for metric in self.gates if others else ():
            if metric in _SPANS:
                found = f"the tags {', '.join(others[:5])}" + ", ..." * (len(others) > 5)
                expected = "B-<type>, I-<type> and O under corpus.tags, or BIOES or BILOU"
                fix = "set a gate on token_accuracy instead"
                yield Problem(("gates", metric), f"{metric} needs BIO, BIOES or BILOU tags.", found, expected, fix)


class TaggerTask(SupervisedTask[TaggerJob]):
    """A tag for every token, evaluated by tokens and, for BIO tags, by spans."""

    name = "tagger"
    about = "a tag for every token"
    job = TaggerJob
    suits = MappingProxyType({TAGGED_TEXT: "token_accuracy: {min: 0.9, max_drop: 0.01}"})

    def training(self, job: TaggerJob) -> str:
        """Returns the dotted path of the training."""
        del job
        return "trainer.tagger.training:TAGGER"

    def metrics(self, job: TaggerJob) -> Mapping[str, Metric]:
        """Returns the metrics by name, without span metrics if the job lists tags that mark no spans."""
        spans = {name: Metric("higher", f"{_METRICS}:{name}", 0, 1) for name in _SPANS}
        return {
            "token_accuracy": Metric("higher", f"{_METRICS}:token_accuracy", 0, 1),
            "loss": Metric("lower", f"{_METRICS}:token_loss", 0),
            **({} if not_span_tags(job.corpus.tags or ()) else spans),
        }

    def report(self, training: Mapping[str, Any]) -> Iterator[str]:
        """Yields also what the linear-chain CRF adds."""
        yield from super().report(training)
        joint = training.get("joint")
        if joint:
            encoder, crf = joint["encoder_share"], joint["crf_share"]
            chain = f"a CRF of {joint['attributes']:,} attributes times {crf:.2f}"
            loss = f"an eval loss of {joint['eval_loss']:.4f}"
            if encoder:
                yield f"the model adds the encoder times {encoder:.2f} and {chain}, with {loss}"
            else:
                yield f"the encoder adds nothing to the CRF and is left out: the model is {chain}, with {loss}"

    def answers(self) -> Mapping[str, str]:
        """Returns the dotted path of the class that answers each command."""
        return {"predict": "trainer.tagger.answers:TagAnswers"}


TAGGER = TaggerTask()
