"""Counts of the spans of a rolling window, kept between runs, so that a new window analyses only its new spans.

TensorFlow Transform's analyzer cache is not of use here: the vocabulary does not come from its analyzers. What is kept
is keyed by a digest of the records that were counted, not by their files. So it holds what duplicates in other spans,
splits and the quarantine have left of a span, and any change of these counts the span again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import posixpath
from collections.abc import Mapping, Sequence

import tensorflow as tf

from components.sequence_transform.vocabulary import TokenCounts
from components.shared import span_records
from trainer.data.kinds import CorpusKind
from trainer.settings import TransformSettings

_logger = logging.getLogger("seqloom")


class SpanCounts:
    """The counts of spans that earlier runs have kept in a folder.

    Attributes:
        missing: The spans without counts.

    Args:
        folder: The folder.
        digests: The digest of the records of each span.
        settings: The transform section of the configuration.
        kind: The kind of corpus.
        code: A digest of the code that counts.
    """

    def __init__(
        self, folder: str, digests: Sequence[str], settings: TransformSettings, kind: CorpusKind, code: str
    ) -> None:
        how = [settings.model_dump_json(), kind.name, code]
        keys = [hashlib.sha256(json.dumps([digest, *how]).encode()).hexdigest()[:32] for digest in digests]
        self._paths = [posixpath.join(folder, f"{key}.json") for key in keys]
        self._folder, self._known, missing = folder, TokenCounts(), list[int]()
        for span, path in enumerate(self._paths):
            counts = _read(path)
            if counts is None:
                missing.append(span)
            else:
                self._known.add(counts)
        self.missing = tuple(missing)

    def total(self, counted: Mapping[int, TokenCounts]) -> TokenCounts:
        """Returns the counts of the window, and keeps those of its spans alone; `counted` has the missing ones."""
        _logger.info("Counted %d of %d spans; the counts of the others are kept.", len(self.missing), len(self._paths))
        total = TokenCounts()
        total.add(self._known)
        tf.io.gfile.makedirs(self._folder)
        for span in self.missing:
            counts = counted.get(span, TokenCounts())
            _write(self._paths[span], counts)
            total.add(counts)
        names = {posixpath.basename(path) for path in self._paths}
        for name in tf.io.gfile.listdir(self._folder):
            if name not in names:
                tf.io.gfile.remove(posixpath.join(self._folder, name))
        return total


def open_counts(
    folder: str, shards: list[str], settings: TransformSettings, kind: CorpusKind, code: str
) -> SpanCounts | None:
    """Returns the kept counts of the spans of a train split.

    None if there is no folder for them, the shards have no spans, or tokens depend on all spans together: those of a
    subword model, and phrases.
    """
    if not folder or settings.tokenizer == "subwords" or settings.phrases is not None:
        return None
    digests = span_records.read_digests(shards)
    return None if digests is None else SpanCounts(folder, digests, settings, kind, code)


def _read(path: str) -> TokenCounts | None:
    """Reads counts; None if there are none, or they are damaged."""
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path, "rb") as file:
        digest, _, content = file.read().partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        _logger.warning("The kept counts of a span are damaged; it is counted again: %s", path)
        return None
    return TokenCounts.from_json(json.loads(content))


def _write(path: str, counts: TokenCounts) -> None:
    content = json.dumps(vars(counts)).encode()
    with tf.io.gfile.GFile(f"{path}.partial", "wb") as file:
        file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    tf.io.gfile.rename(f"{path}.partial", path, overwrite=True)
