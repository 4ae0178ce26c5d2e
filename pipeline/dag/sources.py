"""The external inputs of a pipeline."""

from __future__ import annotations

import dataclasses

from components.corpus_example_gen.inputs.patterns import SplitPattern


@dataclasses.dataclass(frozen=True)
class Sources:
    """The external inputs of a pipeline.

    Attributes:
        corpus: The files of the corpus.
        schema: The file of the corpus's schema, with a digest of its content in its name.
        serving_logs: The pattern of the files logged in serving, and their fingerprint; both empty if unused.
        withdrawn: The identities of the models that were rolled back, as keys.
    """

    corpus: tuple[SplitPattern, ...]
    schema: str
    serving_logs: tuple[str, str] = ("", "")
    withdrawn: tuple[str, ...] = ()
