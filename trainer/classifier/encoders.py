"""The encoders that `trainer.encoder` selects, from the words of documents to one vector each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from trainer.classifier import attention
from trainer.classifier.attention import AdditiveAttention
from trainer.classifier.pooling import MaskedPooling, ZeroPadding
from trainer.classifier.segments import Documents, Segments
from trainer.classifier.settings import ClassifierSettings
from trainer.recurrent.encoder import Embedded
from trainer.recurrent.stack import stack

Encode = Callable[[ClassifierSettings, Embedded], keras.KerasTensor]
"""From documents to their vectors, float [batch, width], independent of padding."""


def rnn(settings: ClassifierSettings, embedded: Embedded) -> keras.KerasTensor:
    """Pools the states of recurrent layers, or takes the last ones.

    Word vectors are pooled with the states as in Lai et al. (2015), Recurrent Convolutional Neural Networks for Text
    Classification, section 3.1.
    """
    if settings.pooling == "last":
        return stack(settings, embedded.vectors, embedded.steps, return_sequences=False)
    states = stack(settings, embedded.vectors, embedded.steps)
    if settings.pool_words:
        states = keras.layers.Concatenate(name="words")([embedded.vectors, states])
    return MaskedPooling(name="pooling")(states, embedded.steps)


def cnn(settings: ClassifierSettings, embedded: Embedded) -> keras.KerasTensor:
    """Takes the maximum of each filter, of several widths.

    Follows Kim (2014), Convolutional Neural Networks for Sentence Classification, section 2. Zeros around documents
    give even short ones an output at each word.
    """
    words = ZeroPadding(name="zero_padding")(embedded.vectors, embedded.steps)
    responses = [
        keras.layers.Conv1D(settings.filters, width, padding="same", activation="relu", name=f"filters_{width}")(words)
        for width in settings.filter_widths
    ]
    joined = keras.layers.Concatenate(name="filters")(responses) if len(responses) > 1 else responses[0]
    return MaskedPooling(of=["max"], name="pooling")(joined, embedded.steps)


def average(_: ClassifierSettings, embedded: Embedded) -> keras.KerasTensor:
    """Takes the mean of the word vectors: a bag of words, as in Joulin et al. (2017), section 2."""
    return MaskedPooling(of=["mean"], name="pooling")(embedded.vectors, embedded.steps)


def rnn_with_attention(settings: ClassifierSettings, embedded: Embedded) -> keras.KerasTensor:
    """Takes the mean of the states of recurrent layers, weighted by attention."""
    attend = AdditiveAttention(settings.attention_units, name=attention.WORDS)
    document, _ = attend(stack(settings, embedded.vectors, embedded.steps), embedded.steps)
    return document


def hierarchical(settings: ClassifierSettings, embedded: Embedded) -> keras.KerasTensor:
    """Encodes words to segments and segments to documents, each with recurrent layers and attention.

    Follows Yang et al. (2016), Hierarchical Attention Networks for Document Classification, section 2.
    """
    tokens, _ = embedded.inputs
    words, real, rows = Segments(name="segments")(embedded.vectors, tokens, embedded.steps)
    states = stack(settings, words, real, prefix="word_")
    segments, _ = AdditiveAttention(settings.attention_units, name=attention.WORDS)(states, real)
    documents, real = Documents(name="documents")(segments, rows, embedded.steps)
    states = stack(settings, documents, real, prefix="segment_")
    document, _ = AdditiveAttention(settings.attention_units, name=attention.SEGMENTS)(states, real)
    return document


ENCODERS: Mapping[str, Encode] = {
    "rnn": rnn,
    "cnn": cnn,
    "average": average,
    "rnn+attention": rnn_with_attention,
    "hierarchical": hierarchical,
}
"""Encoders by their names in the configuration."""
