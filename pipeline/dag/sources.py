"""The external inputs of a pipeline."""

from __future__ import annotations

import dataclasses

from pipeline.config.locations import Corpus


@dataclasses.dataclass(frozen=True)
class Sources:
    """The external inputs of a pipeline.

    Attributes:
        corpus: The folder of the corpus and the pattern of its files, or one pattern per split.
        schema: The file of the corpus's schema, with a digest of its content in its name.
        serving_logs: The pattern of the files logged in serving, and their fingerprint; both empty if unused.
    """

    corpus: Corpus
    schema: str
    serving_logs: tuple[str, str] = ("", "")
