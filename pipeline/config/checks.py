"""Cross-section checks of a job: settings that are valid alone but not together."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from trainer.errors import Problem
from trainer.settings import TransformSettings


def split_problems(corpus: CorpusSettings, splits: SplitSettings, required: Collection[str]) -> Iterator[Problem]:
    """Yields a problem if the corpus lacks splits that the task requires."""
    by_file = corpus.path if isinstance(corpus.path, dict) else None
    names = list(splits.weights if by_file is None else by_file)
    missing = [split for split in required if split not in names]
    if missing:
        what = f"The job has no split {' or '.join(missing)}."
        path = ("splits",) if by_file is None else ("corpus", "path")
        found = f"the splits {', '.join(names)}" if names else "no splits"
        yield Problem(path, what, found, f"the splits {', '.join(required)}")


def segment_problems(path: tuple[str, ...], value: str, transform: TransformSettings) -> Iterator[Problem]:
    """Yields a problem if a key's value needs segments, but the tokens do not mark them."""
    if "segment" not in (transform.bos, transform.eos):
        key, found = path[-1], "neither transform.eos nor transform.bos is segment"
        fix = f"set transform.eos: segment, or another {key}"
        yield Problem(path, f"{key} {value} needs marked segments.", found, "<bos> or <eos> at each segment", fix)
