"""Trains the tagger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf

from trainer.data import features as f
from trainer.jobs.training_job import TrainingJob
from trainer.supervised.cross_entropy import cross_entropy
from trainer.supervised.head import Head
from trainer.supervised.supervised import Supervised
from trainer.tagger import model
from trainer.tagger.linear.joining import join
from trainer.tagger.servable import TaggerServable
from trainer.tagger.settings import TaggerSettings
from trainer.training.objective import Outcome
from trainer.training.pace import OF_TOKENS, PacePlan


class TagHead(Head[TaggerSettings]):
    """The head for one tag per token."""

    targets: ClassVar = {f.TAGS: tf.TensorSpec([None, None], tf.int64)}

    def judge(self, batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
        """Compares logits, float [batch, time, tags], with `tags`; every real token has the same weight."""
        tags = batch[f.TAGS]
        losses = cross_entropy(tags, logits, smoothing)
        real = model.real_steps(batch[f.TOKENS], batch[f.LENGTH])
        return Outcome(losses, tf.cast(real, losses.dtype), tf.equal(tf.argmax(logits, -1), tags))

    def servable(self, model: keras.Model, job: TrainingJob) -> tuple[TaggerServable, Mapping[str, Any]]:
        """Returns the model to publish."""
        joint, details = join(model, self, job)
        return TaggerServable(joint, job.graph, self.classes), details


class Tagger(Supervised[TaggerSettings]):
    """The tagger of tokens."""

    name = "tagger"
    settings = TaggerSettings
    build = staticmethod(model.build)

    def plan(self, settings: TaggerSettings) -> PacePlan:
        """Returns the plan for a target at each token."""
        del settings
        return OF_TOKENS

    def head(self, job: TrainingJob, settings: TaggerSettings) -> Head[TaggerSettings]:
        """Returns the head of tags."""
        return TagHead(settings, job.classes)


TAGGER = Tagger()
