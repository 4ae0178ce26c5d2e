"""Jobs of task tagger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.run_config import TASK, SupervisedConfig
from pipeline.tasks.metric import SPAN
from trainer.errors import Problem
from trainer.tagger.settings import TaggerSettings
from trainer.tagger.spans import not_span_tags


class TaggerConfig(SupervisedConfig):
    """A job that trains a tagger of tokens."""

    task: Annotated[Literal["tagger"], TASK]
    trainer: TaggerSettings = Field(default_factory=TaggerSettings, description="The model and its training.")

    def problems(self) -> Iterator[Problem]:
        """Yields the keys that are valid alone but not together."""
        yield from super().problems()
        corpus = self.corpus
        if corpus.kind != "tagged_text":
            expected = "format conll, or tf_sequence_example with corpus.tag"
            found = f"format {corpus.format}" + " without corpus.tag" * (corpus.format == "tf_sequence_example")
            yield Problem(("corpus", "format"), "A tagger needs a tag for each token.", found, expected)
        for key in ("truncate", "pad", "min_length"):
            if getattr(self.transform, key):
                what, found = f"A tagger cannot have transform.{key}.", f"transform.{key}, which can drop tokens"
                yield Problem(("transform", key), what, found, "whole sentences", f"remove {key}")
        others = not_span_tags(corpus.tags or ())
        for metric in self.gates if others else ():
            if metric.startswith(SPAN):
                found = f"the tags {', '.join(others[:5])}" + ", ..." * (len(others) > 5)
                expected, fix = "B-<type>, I-<type> and O under corpus.tags", "set a gate on token_accuracy instead"
                yield Problem(("gates", metric), f"{metric} needs BIO tags.", found, expected, fix)
