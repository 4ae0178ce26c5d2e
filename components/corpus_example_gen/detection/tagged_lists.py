"""Finds two lists of equal lengths in each record: tokens and their tags."""

from __future__ import annotations

from collections.abc import Sequence

from components.corpus_example_gen.detection.column_names import TAGS, TOKENS
from components.corpus_example_gen.detection.guess import Guess
from components.corpus_example_gen.detection.profiles import Profile

_FEW = 0.5


def set_tags(guess: Guess, profiles: Sequence[Profile]) -> bool:
    """Sets the lists of tokens and tags; returns whether there are any."""
    lists = [profile for profile in profiles if profile.kind == "list" and profile.filled == 1]
    lengths = {profile.name: [len(value) for value in profile.values] for profile in lists}
    texts = [one for one in lists if all(isinstance(item, str) for value in one.values for item in value)]
    for tokens in sorted(texts, key=lambda one: (_rank(one, TOKENS), -one.distinct)):
        aligned = [one for one in lists if one is not tokens and lengths[one.name] == lengths[tokens.name]]
        tags = [one for one in aligned if one.distinct < max(_FEW * tokens.distinct, 2) or _rank(one, TAGS) < len(TAGS)]
        if tags and max(lengths[tokens.name], default=0) > 1:
            best = min(tags, key=lambda one: _rank(one, TAGS))
            guess.set("tokens", tokens.name, "a list of texts in each record")
            guess.set("tag", best.name, f"a list of the same length, with {best.distinct:,} distinct values")
            others = [one.name for one in tags if one is not best]
            if others:
                guess.remarks.append(f"{', '.join(others[:3])} may be the tags too: set tag in the YAML.")
            return True
    return False


def _rank(profile: Profile, names: Sequence[str]) -> int:
    words = profile.name_words
    return min((number for number, word in enumerate(names) if word in words), default=len(names))
