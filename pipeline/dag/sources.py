"""What a pipeline reads from outside."""

from __future__ import annotations

import dataclasses

from pipeline.config.locations import Corpus


@dataclasses.dataclass(frozen=True)
class Sources:
    """What a pipeline reads from outside.

    Attributes:
        corpus: Folder of the corpus and the pattern of its files, or one pattern a split.
        schema: File of the corpus' schema, named by its content.
        serving_logs: The pattern of the files that serving logged, and a fingerprint of them; empty: none.
    """

    corpus: Corpus
    schema: str
    serving_logs: tuple[str, str] = ("", "")
