"""Chooses the columns of a corpus that hold its texts, labels, sources and splits, by their names and values."""

from __future__ import annotations

from collections.abc import Sequence

from components.corpus_example_gen.detection.column_names import (
    LABELS,
    OTHERS,
    SEVERAL_LABELS,
    SOURCES,
    SPLIT_VALUES,
    SPLITS,
    TEXTS,
)
from components.corpus_example_gen.detection.guess import Guess, Wanted, require_column, shown
from components.corpus_example_gen.detection.profiles import Profile
from trainer.errors import JobError

_MAX_CLASS_WORDS = 5
_MAX_NUMBERS, _MAX_UNNAMED_NUMBERS = 30, 10
_MAX_CLASSES = 1_000
_MAX_SOURCES = 50
_SEPARATORS = ("|", ";", ",")
_HALF = 0.5
_PROSE_VALUES = 200


def set_roles(guess: Guess, profiles: Sequence[Profile], wanted: Wanted, where: str, *, is_complete: bool) -> None:
    """Sets the text and, if there are any, the label, the source and the split.

    Args:
        guess: The settings so far.
        profiles: The columns.
        wanted: The columns that the user has named.
        where: The file, for messages.
        is_complete: Whether the sample is the whole file.

    Raises:
        JobError: If a named column does not exist, or no column holds texts.
    """
    names = [profile.name for profile in profiles]
    by_name = {profile.name: profile for profile in profiles}
    for option, name in (("--text", wanted.text), ("--label", wanted.label)):
        if name:
            require_column(option, name, names, where)
    others = [profile for profile in profiles if profile.name not in wanted]
    text = by_name[wanted.text] if wanted.text else _set_text(guess, others, where)
    guess.set("text", text.name, _about_text(text, is_named=wanted.text is not None))
    others = [profile for profile in others if profile is not text]
    label = _label(guess, others, is_complete=is_complete) if wanted.label is None else by_name.get(wanted.label)
    if label is not None:
        _set_label(guess, label, is_named=wanted.label is not None)
    _set_split(guess, [profile for profile in others if profile is not label])
    _set_source(guess, [profile for profile in others if profile is not label])


def _set_text(guess: Guess, profiles: Sequence[Profile], where: str) -> Profile:
    texts = [one for one in profiles if one.kind == "text" or (one.kind == "list" and one.words > 0)]
    if not texts:
        raise JobError(
            "The corpus has no column with texts.",
            where=where,
            found=f"the columns {shown(profile.name for profile in profiles)}" if profiles else "no columns",
            expected="a column of words",
            fix="name the column with --text" if profiles else "name a file with records",
        )
    best, *others = sorted(texts, key=_text_score, reverse=True)
    rivals = [one.name for one in others if 3 < one.words >= best.words / 4 and _is_prose(one)]
    if rivals:
        guess.remarks.append(
            f"{shown(rivals, 3)} may hold texts too: --text COLUMN takes another column, and"
            f" text: [{best.name}, {rivals[0]}] in the YAML joins several."
        )
    return best


def _is_prose(profile: Profile) -> bool:
    """Whether a column may hold texts, not labels or dates."""
    words = " ".join(map(str, profile.values[:_PROSE_VALUES])).split()
    numbers = sum(any(character.isdigit() for character in word) for word in words)
    return not _names_class(profile) and numbers < len(words) / 3


def _text_score(profile: Profile) -> float:
    words = profile.name_words
    named = next((number for number, word in enumerate(TEXTS) if word in words), None)
    if named is not None and profile.name_words[-1:] != ["id"]:
        return (profile.words + 1) * (4 - named / len(TEXTS)) * profile.filled
    unlikely = _names_class(profile) or OTHERS.intersection(words) - {"title", "name"}
    return profile.words * profile.filled * (0.2 if unlikely else 1)


def _names_class(profile: Profile) -> bool:
    return bool(set(LABELS).intersection(profile.name_words))


def _about_text(text: Profile, *, is_named: bool) -> str:
    words = f"{text.words:.0f} words on average" if text.words >= 2 else "short texts"
    if is_named:
        return words
    return f"{words}, by its name" if set(TEXTS).intersection(text.name_words) else f"{words}, the longest texts"


def _label(guess: Guess, profiles: Sequence[Profile], *, is_complete: bool) -> Profile | None:
    named = [profile for profile in profiles if _label_rank(profile) < len(LABELS)]
    named.sort(key=_label_rank)
    good = [profile for profile in named if _has_classes(profile) or (not is_complete and profile.distinct == 1)]
    single = [profile for profile in named if profile.distinct == 1 and is_complete]
    refused = [profile for profile in named if profile not in good and profile not in single]
    if refused and not good:
        one = refused[0]
        found = f"{one.distinct:,} distinct values in {len(one.values):,} records"
        guess.remarks.append(f"{one.name} is not taken as the label, because it has {found}; --label takes it.")
    if not good and single:
        return single[0]
    if not good:
        good = sorted(filter(_may_be_label, profiles), key=lambda one: (one.distinct, one.kind == "number"))
    if len(good) > 1:
        guess.remarks.append(
            f"{shown((one.name for one in good[1:]), 3)} may be the label too: --label COLUMN takes it."
        )
    return good[0] if good else None


def _label_rank(profile: Profile) -> int:
    words = profile.name_words
    return min((number for number, word in enumerate(LABELS) if word in words), default=len(LABELS))


def _has_classes(profile: Profile) -> bool:
    """Whether the values of a column with a fitting name can be classes."""
    if profile.kind == "list":
        return profile.distinct > 1 and profile.distinct < max(_HALF * len(profile.items), 3)
    if profile.kind not in ("text", "number") or not 2 <= profile.distinct <= _MAX_CLASSES:
        return False
    if profile.kind == "number" and profile.distinct > _MAX_NUMBERS:
        return False
    separator = _separator(profile)
    repeated = profile.distinct <= _HALF * len(profile.values) or len(profile.values) < 10
    return profile.words <= _MAX_CLASS_WORDS and (repeated or separator is not None)


def _may_be_label(profile: Profile) -> bool:
    """Whether a column has classes, though its name does not say so."""
    most = _MAX_UNNAMED_NUMBERS if profile.kind == "number" else _MAX_SOURCES
    few = 2 <= profile.distinct <= min(most, len(profile.values) / 5) and profile.filled > _HALF
    words = profile.name_words
    return (
        few
        and profile.kind in ("text", "number")
        and profile.words <= 3
        and not (OTHERS | SOURCES | SPLITS).intersection(words)
    )


def _separator(profile: Profile) -> str | None:
    """Returns what separates several labels in one text."""
    if profile.kind != "text" or not SEVERAL_LABELS.intersection(profile.name_words):
        return None
    for separator in _SEPARATORS:
        parts = [part.strip() for value in profile.values for part in value.split(separator)]
        is_used = sum(separator in value for value in profile.values) > len(profile.values) / 10
        if is_used and len(set(parts)) < _HALF * len(parts):
            return separator
    return None


def _set_label(guess: Guess, label: Profile, *, is_named: bool) -> None:
    by = "" if is_named else ", by its name" if _names_class(label) else ", because they are few and repeated"
    of_values = "labels" if label.kind == "list" else "values"
    guess.set("label", label.name, f"{label.distinct:,} distinct {of_values}{by}")
    separator = _separator(label)
    if label.kind == "list":
        guess.set("multi_label", True, "the label is a list")
    elif separator is not None:
        guess.set("multi_label", True, f"values such as {max(label.values, key=len)[:40]} name several labels")
        if separator != ",":
            guess.set("label_separator", separator)


def _set_split(guess: Guess, profiles: Sequence[Profile]) -> None:
    for profile in profiles:
        if not SPLITS.intersection(profile.name_words) or profile.kind != "text" or profile.filled < 1:
            continue
        splits = {value: SPLIT_VALUES.get(value.lower()) for value in profile.values}
        if set(splits.values()) == {"train", "eval", "test"}:
            guess.set("split", profile.name, "the split of each record")
            renamed = {value: split for value, split in splits.items() if value != split}
            if renamed:
                guess.set("split_values", renamed)
            return
        if not set(splits.values()) - {"train", "eval", "test"}:
            found = shown(sorted(splits))
            guess.remarks.append(
                f"{profile.name} is not taken as the split: it has {found}; train, eval and test are needed."
            )


def _set_source(guess: Guess, profiles: Sequence[Profile]) -> None:
    for profile in profiles:
        is_named = SOURCES.intersection(profile.name_words) and profile.kind in ("text", "number")
        if is_named and profile.filled == 1 and 2 <= profile.distinct <= _MAX_SOURCES:
            guess.set("source", profile.name, f"{profile.distinct} sources; metrics are also reported by source")
            return
