"""Fits the linear chain after the training of a tagger's encoder, and joins both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from trainer.data import features as f
from trainer.jobs import progress
from trainer.jobs.training_job import TrainingJob
from trainer.supervised.head import Head
from trainer.supervised.shares import Shares
from trainer.tagger.linear import chain_shares, crf, sentences
from trainer.tagger.linear.chain import Chain
from trainer.tagger.linear.chain_shares import ScoredBatch
from trainer.tagger.linear.tag_scores import ChainWeights, TagScores
from trainer.tagger.model import real_steps
from trainer.tagger.settings import TaggerSettings


class JointTagger(NamedTuple):
    """A model of an encoder and a linear chain, and its entries in `training.json`."""

    model: keras.Model
    details: Mapping[str, Any]


def join(model: keras.Model, head: Head[TaggerSettings], job: TrainingJob) -> JointTagger:
    """Fits the linear chain, and chooses its share on the eval split.

    Args:
        model: The trained encoder, from `tokens` and `length` to logits.
        head: Reads the examples.
        job: The examples.

    Returns:
        A model that takes `words`, string [batch, time], as well, and returns log-probabilities and the tags of the
        best sequence, int64 [batch, time], without the encoder if its share is 0; the given one if the settings exclude
        the chain or the train split has no tokens.
    """
    both_ways = head.settings.bidirectional
    if not head.settings.crf:
        return JointTagger(model, {})
    progress.working("linear chain", whole=False)
    train, evaluated = (
        [sentences.tagged(batch, right=both_ways) for batch in _sampled(head, job, split)]
        for split in ("train", "eval")
    )
    fitted = crf.fit(train, evaluated, len(head.classes), backward=both_ways)
    if fitted is None:
        return JointTagger(model, {})
    weights = fitted.weights
    inputs = [*model.inputs, keras.Input([None], dtype="string", name=f.WORDS)]
    tokens, length, words = inputs
    steps = model.get_layer("mask")(tokens, length)
    layer = TagScores(len(weights.keys), len(head.classes), both_ways, name="attributes")
    scores = [model.output, layer(words, steps)]
    layer.fill(weights)
    scored = list(_scored(keras.Model(inputs, scores), head, job))
    shares = chain_shares.choose(scored, weights.pairs, backward=both_ways)
    # Without a share, the encoder would only take time in each answer.
    first = 0 if shares.encoder else 1
    chain = Chain(tuple(shares[first:]), both_ways, name="chain")
    output = chain(scores[first:], steps)
    chain.fill(shares.linear * weights.pairs)
    details = {
        "attributes": len(weights.keys),
        "penalty": fitted.penalty,
        **_figures(scored, weights, shares, both_ways),
    }
    return JointTagger(keras.Model(inputs, output, name="tagger"), {"joint": details})


def _figures(batches: list[ScoredBatch], weights: ChainWeights, shares: Shares, backward: bool) -> Mapping[str, float]:
    """Returns the shares, and the figures of the eval split with them, and for each part alone."""
    both, encoder, chain = (
        chain_shares.judge(batches, weights.pairs, one, backward=backward)
        for one in (shares, Shares(1, 0), Shares(0, 1))
    )
    return {
        "encoder_share": shares.encoder,
        "crf_share": shares.linear,
        "encoder_eval_loss": encoder.loss,
        "encoder_eval_accuracy": encoder.accuracy,
        "crf_eval_loss": chain.loss,
        "crf_eval_accuracy": chain.accuracy,
        "eval_loss": both.loss,
        "eval_accuracy": both.accuracy,
    }


def _sampled(head: Head[TaggerSettings], job: TrainingJob, split: str) -> Iterator[f.Features]:
    """Yields batches of the sentences of a split, `train` or `eval`, to fit to or to compare with."""
    files = {"train": job.train_files, "eval": job.eval_files}[split]
    return sentences.every_nth(head.batches(files), job.size(split).tokens, len(head.classes))


def _scored(both: keras.Model, head: Head[TaggerSettings], job: TrainingJob) -> Iterator[ScoredBatch]:
    """Yields batches of the eval split with the scores of a model's two outputs."""
    answer = tf.function(lambda *inputs: both(list(inputs), training=False), reduce_retracing=True, autograph=False)
    for batch in _sampled(head, job, "eval"):
        encoder, chain = (
            tf.cast(scores, tf.float32) for scores in answer(*(batch[name] for name in (f.TOKENS, f.LENGTH, f.WORDS)))
        )
        weights = batch[f.WEIGHT] if f.WEIGHT in batch else tf.ones(tf.shape(batch[f.LENGTH]))
        yield ScoredBatch(encoder, chain, batch[f.TAGS], real_steps(batch[f.TOKENS], batch[f.LENGTH]), weights)
