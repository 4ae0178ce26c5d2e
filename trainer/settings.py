"""Typed sections of a job's YAML: their base class, and the sections of the transform and its output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from trainer.data.kinds import CorpusKind
from trainer.errors import Problem

RESERVED_WORDS = ("<pad>", "<unk>", "<bos>", "<eos>")
"""The words of ids 0 to 3."""

# Characters of the subword models' own notation.
_NOT_IN_RESERVED = {"\\", "\u2581", "\0"}

MAX_SEED = 2**31 - 1
"""The largest seed that every random generator in use takes."""

IMPOSSIBLE = "impossible"
"""The type of pydantic's error for a section with problems; its context has them as `problems`."""

COLLECT = "collect"
"""A validation context in which sections with problems are still built, so that `all_problems` finds all."""

S = TypeVar("S", bound="Settings")


class Settings(BaseModel):
    """A frozen section of the configuration in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together; subclasses extend it."""
        yield from ()

    def all_problems(self) -> Iterator[Problem]:
        """Yields the problems of this section and of all sections below it."""
        yield from self.problems()
        for name, field in type(self).model_fields.items():
            yield from _problems_below((field.alias or name,), getattr(self, name))

    @model_validator(mode="after")
    def _require_no_problems(self: S, info: ValidationInfo) -> S:
        problems = [] if info.context == COLLECT else list(self.problems())
        if problems:
            texts = [" ".join(str(problem.error(".".join(problem.path))).split()) for problem in problems]
            context: dict[str, Any] = {"problems": problems, "message": "; ".join(texts)}
            raise PydanticCustomError(IMPOSSIBLE, "{message}", context)
        return self


def _problems_below(path: tuple[str, ...], value: object) -> Iterator[Problem]:
    if isinstance(value, Settings):
        yield from (problem.below(*path) for problem in value.all_problems())
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _problems_below((*path, str(key)), item)


class TruncateSettings(Settings):
    """Truncates long documents."""

    to: int = Field(gt=0, le=10_000_000, description="Longest sequence kept, in tokens.")
    keep: Literal["head", "tail", "head+tail"] = Field(
        "head", description="Kept end; head+tail takes a quarter of the limit from the head, the rest from the tail."
    )


class PadSettings(Settings):
    """Pads sequences to one length on disk."""

    to: int = Field(gt=0, le=1_000_000, description="Length of every sequence; longer ones are truncated.")
    side: Literal["right", "left"] = Field(
        "right", description="Side of `<pad>`; readers that keep left padding cannot use the fused GPU kernel."
    )


class SubwordSettings(Settings):
    """The subword model, trained on the train split."""

    model: Literal["unigram", "bpe"] = Field("unigram", description="bpe: byte-pair encoding.")
    size: int = Field(
        8_000, ge=300, le=1_000_000, description="Maximum number of pieces, including 256 bytes and the reserved words."
    )
    character_coverage: float = Field(
        0.9995, gt=0, le=1, description="Share of the text whose characters get a piece; rarer ones become bytes."
    )
    sample_mb: int = Field(32, gt=0, le=65_536, description="Megabytes of the train split to train the model on.")


class PhraseSettings(Settings):
    """Adjacent words that are joined into one token (Mikolov et al. 2013, "Distributed Representations", section 4).

    A pair is a phrase if (count of the pair - min_count) * distinct words and pairs / (count of its first word
    * count of its second word) is above the threshold.
    """

    min_count: int = Field(
        5, gt=0, le=1_000_000_000, description="Pairs must occur more often than this in the train split."
    )
    threshold: float = Field(
        10.0, gt=0, le=1e12, description="Score that a pair must exceed; higher gives fewer phrases."
    )
    passes: int = Field(1, gt=0, le=4, description="Rounds of joining: 1 gives phrases of two words, 2 of up to four.")
    delimiter: str = Field("_", description="Separator between the words of a phrase.")

    @field_validator("delimiter")
    @classmethod
    def _delimiter_can_be_in_a_token(cls, delimiter: str) -> str:
        if not delimiter or " " in delimiter or not delimiter.isprintable():
            raise ValueError(f"{delimiter!r} is not one or more printable characters other than white space")
        return delimiter


class TransformSettings(Settings):
    """Raw text to token ids."""

    tokenizer: Literal["words", "whitespace", "characters", "subwords"] = Field(
        "words",
        description="words: Unicode words and single punctuation marks; whitespace: text that is already tokenized; "
        "characters: code points; subwords: pieces of a trained model, which restore the text when joined.",
    )
    lowercase: bool | None = Field(
        None, description="Lower-case the text (Unicode). Default: true with tokenizer words, false with others."
    )
    nfkc: bool = Field(False, description="Unicode normalization form NFKC; needs the extra `subwords`.")
    strip_html: bool = Field(False, description="Replace HTML tags by spaces, and common entities by their characters.")
    digits: bool = Field(False, description="Replace every decimal digit by 0: 1984 becomes 0000.")
    max_token_bytes: int | None = Field(
        None, gt=0, le=1_000_000, description="Longest token in bytes; longer ones become unknown."
    )
    max_size: int = Field(
        20_000, gt=0, le=100_000_000, description="Maximum size of the vocabulary, excluding reserved ids."
    )
    min_count: int | None = Field(
        None,
        gt=0,
        le=1_000_000_000,
        description="Minimum count of a word in the train split; rarer ones are unknown. Default: 1 for tokens with"
        " tags, 2 for text.",
    )
    oov_buckets: int = Field(
        0, ge=0, le=100_000_000, description="Number of ids after the vocabulary to hash unknown words to."
    )
    vocabulary: str | None = Field(
        None, description="File with the vocabulary, one word per line; null: take it from the train split."
    )
    reserved: tuple[str, ...] = Field((), description="Words that always have ids, right after the special tokens.")
    min_coverage: float | None = Field(
        None, gt=0, le=1, description="Minimum share of known tokens in a split; below it the run fails."
    )
    min_length: int = Field(
        0, ge=0, le=1_000_000_000, description="Drop documents with fewer tokens, not counting <bos> and <eos>."
    )
    bos: Literal["document", "segment"] | None = Field(None, description="Insert `<bos>` before each one.")
    eos: Literal["document", "segment"] | None = Field(None, description="Insert `<eos>` after each one.")
    truncate: TruncateSettings | None = Field(None, description="Truncate long documents; null: keep them whole.")
    pad: PadSettings | None = Field(None, description="Write sequences of one length; null: pad training batches.")
    subwords: SubwordSettings | None = Field(None, description="The subword model; needs `tokenizer: subwords`.")
    phrases: PhraseSettings | None = Field(None, description="Join words that often occur together; null: never.")

    @field_validator("reserved")
    @classmethod
    def _reserved_words_can_be_tokens(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for number, word in enumerate(words):
            if word in RESERVED_WORDS or word in words[:number]:
                raise ValueError(f"{word!r} is already reserved")
            if not word or set(word) & _NOT_IN_RESERVED or any(character.isspace() for character in word):
                raise ValueError(f"{word!r} is empty, or has white space, a backslash or U+2581")
        return words

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        yield from self._length_problems()
        yield from self._tokenizer_problems()
        if self.phrases is not None and self.tokenizer in ("characters", "subwords"):
            expected, fix = "tokenizer words or whitespace", "remove phrases, or set another tokenizer"
            yield Problem(("phrases",), "phrases needs words to join.", f"tokenizer {self.tokenizer}", expected, fix)
        elif self.phrases is not None and self.vocabulary is not None:
            found, fix = "a vocabulary without the train split's phrases", "remove phrases or vocabulary"
            yield Problem(("phrases",), "phrases cannot be combined with vocabulary.", found, fix=fix)

    def _length_problems(self) -> Iterator[Problem]:
        if self.pad and self.truncate and self.pad.to < self.truncate.to:
            found, expected = f"pad.to {self.pad.to}, truncate.to {self.truncate.to}", f"{self.truncate.to} or more"
            fix = "raise pad.to, or lower truncate.to"
            yield Problem(("pad", "to"), "pad.to is smaller than truncate.to.", found, expected, fix)
        if self.truncation and self.truncation.to <= self.document_marks:
            path, expected = ("truncate" if self.truncate else "pad", "to"), f"{self.document_marks + 1} or more"
            found = f"{self.truncation.to} tokens, of which <bos> and <eos> take {self.document_marks}"
            yield Problem(path, "The length limit has no room for text.", found, expected)

    def _tokenizer_problems(self) -> Iterator[Problem]:
        if self.tokenizer != "subwords":
            if self.subwords:
                found, fix = f"tokenizer {self.tokenizer}", "set tokenizer: subwords, or remove the section"
                yield Problem(("subwords",), "subwords needs tokenizer subwords.", found, fix=fix)
            return
        for name in ("lowercase", "digits", "max_token_bytes"):
            if getattr(self, name):
                what, fix = f"{name} cannot be combined with tokenizer subwords.", f"remove {name}"
                yield Problem((name,), what, f"{name}, which loses text that subwords must restore", fix=fix)
        for name in ("vocabulary", "oov_buckets"):
            if getattr(self, name):
                found = f"{name} with tokenizer subwords, whose model covers every text"
                yield Problem((name,), f"{name} has no effect with tokenizer subwords.", found, fix=f"remove {name}")

    def least_count(self, *, tokenized: bool) -> int:
        """Returns the minimum count of a word; by default each token with a tag is known, because names are rare."""
        return self.min_count or (1 if tokenized else 2)

    @property
    def lowercased(self) -> bool:
        """Whether text is lower-cased."""
        return self.tokenizer == "words" if self.lowercase is None else self.lowercase

    @property
    def document_marks(self) -> int:
        """The number of `<bos>` and `<eos>` around each document."""
        return (self.bos == "document") + (self.eos == "document")

    @property
    def truncation(self) -> TruncateSettings | None:
        """The truncation of documents: `truncate`, else to the length of `pad`."""
        if self.truncate is None and self.pad is not None:
            return TruncateSettings(to=self.pad.to, keep="head")
        return self.truncate

    def obstacle(self, kind: CorpusKind) -> Problem | None:
        """Returns why these settings cannot be used on a kind of corpus, or None if they can."""
        if not kind.tokenized:
            return None
        if self.tokenizer != "whitespace":
            found = f"tokenizer {self.tokenizer}, which would split tokens that have tags"
            fix = "set tokenizer: whitespace"
            return Problem(("tokenizer",), "A tagged corpus needs tokenizer whitespace.", found, fix=fix)
        for name in ("bos", "eos", "strip_html", "phrases"):
            if getattr(self, name):
                what = f"{name} cannot be combined with a tagged corpus."
                return Problem((name,), what, f"{name} is set", fix=f"remove {name}")
        return None


class OutputSettings(Settings):
    """Output of TFRecord files."""

    compression: Literal["gzip", "none"] = Field("gzip", description="gzip: a third of the bytes; none: plain files.")
    shard_mb: int = Field(32, gt=0, le=16_384, description="Megabytes of corpus per file, before compression.")

    @property
    def suffix(self) -> str:
        """The suffix of the file names, `.gz` or empty."""
        return ".gz" if self.compression == "gzip" else ""
