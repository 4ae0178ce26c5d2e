"""Typed settings of the transform and the trainer, read from the job's YAML."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from trainer.data.kinds import CorpusKind

RESERVED_WORDS = ("<pad>", "<unk>", "<bos>", "<eos>")
"""The words of ids 0 to 3."""

# Subword models take these for parts of their own notation.
_NO_RESERVED = {"\\", "\u2581", "\0"}


class Settings(BaseModel):
    """A frozen section of the configuration in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TruncateSettings(Settings):
    """How long documents are cut."""

    to: PositiveInt = Field(description="Longest sequence kept, in tokens.")
    keep: Literal["head", "tail", "head+tail"] = Field(
        "head", description="Which end is kept; head+tail keeps the first quarter and the last three."
    )


class PadSettings(Settings):
    """Sequences of one length on disk."""

    to: PositiveInt = Field(description="Length of every sequence; longer ones are cut.")
    side: Literal["right", "left"] = Field(
        "right", description="Where `<pad>` goes; left rules the fused GPU kernel out in readers that keep it."
    )


class SubwordSettings(Settings):
    """The subword model, trained on the train split."""

    model: Literal["unigram", "bpe"] = Field("unigram", description="bpe: byte-pair encoding.")
    size: int = Field(8_000, ge=300, description="Pieces at most, 256 for single bytes and reserved words included.")
    character_coverage: float = Field(
        0.9995, gt=0, le=1, description="Share of the text whose characters get a piece; rarer ones become bytes."
    )
    sample_mb: PositiveInt = Field(32, description="Megabytes of the train split that the model is trained on.")


class PhraseSettings(Settings):
    """Neighbouring words that become one token (Mikolov et al. 2013, "Distributed Representations", section 4).

    A pair is a phrase where (count of the pair - min_count) * distinct words and pairs / (count of its first word
    * count of its second word) is above the threshold.
    """

    min_count: PositiveInt = Field(5, description="A pair has to be seen more often than this in the train split.")
    threshold: PositiveFloat = Field(10.0, description="A pair's score has to be above this; higher: fewer phrases.")
    passes: int = Field(1, ge=1, le=4, description="Rounds of joining: 1 gives phrases of two words, 2 of up to four.")
    delimiter: str = Field("_", description="Stands between the words of a phrase.")

    @field_validator("delimiter")
    @classmethod
    def _delimiter_can_be_in_a_token(cls, delimiter: str) -> str:
        if not delimiter or " " in delimiter or not delimiter.isprintable():
            raise ValueError(f"{delimiter!r} must be one or more printable characters other than white space")
        return delimiter


class TransformSettings(Settings):
    """Raw text to token ids."""

    tokenizer: Literal["words", "whitespace", "characters", "subwords"] = Field(
        "words",
        description="words: Unicode words and single signs; whitespace: text that is tokenised already; "
        "characters: code points; subwords: pieces of a trained model that join to the text again.",
    )
    lowercase: bool | None = Field(
        None, description="Lower-case the text (Unicode); by default words are and other tokens are not."
    )
    nfkc: bool = Field(False, description="Unicode normalisation form NFKC; needs the extra `subwords`.")
    strip_html: bool = Field(False, description="HTML tags become spaces, the common entities their characters.")
    digits: bool = Field(False, description="Every decimal digit becomes 0, so that 1984 is 0000.")
    max_token_bytes: PositiveInt | None = Field(None, description="A token of more bytes is unknown.")
    max_size: PositiveInt = Field(20_000, description="Words in the vocabulary, reserved ids not counted.")
    min_count: PositiveInt = Field(2, description="A word seen less often in train is unknown.")
    oov_buckets: int = Field(0, ge=0, description="Ids that unknown words share by their hash, after the vocabulary.")
    vocabulary: str | None = Field(
        None, description="A given vocabulary, one word a line, instead of the train split's by size and count."
    )
    reserved: tuple[str, ...] = Field((), description="Words that always have ids, right after the four of every job.")
    min_coverage: float | None = Field(
        None, gt=0, le=1, description="A smaller share of known tokens in a split fails the run."
    )
    min_length: int = Field(0, ge=0, description="Documents of fewer tokens, marks not counted, are left out.")
    bos: Literal["document", "segment"] | None = Field(None, description="Put `<bos>` before each.")
    eos: Literal["document", "segment"] | None = Field(None, description="Put `<eos>` after each.")
    truncate: TruncateSettings | None = Field(None, description="Cut long documents; null keeps them whole.")
    pad: PadSettings | None = Field(None, description="Write sequences of one length; null: padded batch by batch.")
    subwords: SubwordSettings | None = Field(None, description="The subword model, with `tokenizer: subwords`.")
    phrases: PhraseSettings | None = Field(
        None, description="Join words that stand together more often than by chance; null: words stay apart."
    )

    @field_validator("reserved")
    @classmethod
    def _reserved_words_can_be_tokens(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for number, word in enumerate(words):
            if word in RESERVED_WORDS or word in words[:number]:
                raise ValueError(f"{word!r} is reserved already")
            if not word or set(word) & _NO_RESERVED or any(character.isspace() for character in word):
                raise ValueError(f"{word!r} must be characters other than white space, backslash and U+2581")
        return words

    @model_validator(mode="after")
    def _lengths_fit(self) -> TransformSettings:
        if self.pad and self.truncate and self.pad.to < self.truncate.to:
            raise ValueError(
                f"pad.to {self.pad.to} is below truncate.to {self.truncate.to}: raise one or lower the other"
            )
        if self.truncation and self.truncation.to <= self.document_marks:
            raise ValueError(f"a limit of {self.truncation.to} tokens leaves no room for text beside <bos> and <eos>")
        return self

    @model_validator(mode="after")
    def _tokenizer_allows_the_rest(self) -> TransformSettings:
        if self.tokenizer != "subwords":
            if self.subwords:
                raise ValueError("subwords is given, but tokenizer is not subwords: set it, or remove the section")
            return self
        for name in ("lowercase", "digits", "max_token_bytes"):
            if getattr(self, name):
                raise ValueError(
                    f"{name} loses text, and subwords keep all of it: remove {name}, or choose another tokenizer"
                )
        for name in ("vocabulary", "oov_buckets"):
            if getattr(self, name):
                raise ValueError(f"{name} has no use with subwords, whose model knows every text: remove it")
        return self

    @model_validator(mode="after")
    def _phrases_have_words(self) -> TransformSettings:
        if self.phrases is None:
            return self
        if self.tokenizer in ("characters", "subwords"):
            raise ValueError(
                f"phrases join words, and {self.tokenizer} are none: remove phrases, or set another tokenizer"
            )
        if self.vocabulary is not None:
            raise ValueError(
                "phrases are found in the train split, and a given vocabulary lacks them: remove one of the two"
            )
        return self

    @property
    def lowercased(self) -> bool:
        """Whether text is lower-cased."""
        return self.tokenizer == "words" if self.lowercase is None else self.lowercase

    @property
    def document_marks(self) -> int:
        """How many of `<bos>` and `<eos>` stand around each document."""
        return (self.bos == "document") + (self.eos == "document")

    @property
    def truncation(self) -> TruncateSettings | None:
        """How documents are cut: as `truncate` says, else to the length that they are padded to."""
        if self.truncate is None and self.pad is not None:
            return TruncateSettings(to=self.pad.to, keep="head")
        return self.truncate

    def obstacle(self, kind: CorpusKind) -> str | None:
        """Says why these settings cannot be used on a kind of corpus; None if they can."""
        if not kind.tokenized:
            return None
        if self.tokenizer != "whitespace":
            return f"tokenizer {self.tokenizer} would cut tokens that have tags: a tagged corpus needs whitespace"
        unfit = [name for name in ("bos", "eos", "strip_html", "phrases") if getattr(self, name)]
        return f"{unfit[0]} does not go with a tagged corpus: remove it" if unfit else None


class OutputSettings(Settings):
    """How TFRecord files are written."""

    compression: Literal["gzip", "none"] = Field("gzip", description="gzip: a third of the bytes; none: plain files.")
    shard_mb: PositiveInt = Field(32, description="Megabytes of corpus that go into one file, before compression.")

    @property
    def suffix(self) -> str:
        """The end of the files' names, `.gz` or nothing."""
        return ".gz" if self.compression == "gzip" else ""


class EmbeddingSettings(Settings):
    """The table of word vectors: how wide it is, or what it starts from."""

    # A job hands its settings on as JSON, which has to read back.
    model_config = ConfigDict(serialize_by_alias=True)

    width: PositiveInt | None = Field(None, description="Width of vectors that start at random.")
    source: str | None = Field(
        None,
        alias="from",
        min_length=1,
        description="Vectors to start from, which give the width: the root of a run of task word2vec, or a file in"
        " word2vec's or GloVe's format; a path, absolute or from this file's folder, or package:<package>/<file>.",
    )
    frozen: bool = Field(False, description="Leave the vectors as they start.")

    @model_validator(mode="after")
    def _starts_in_one_way(self) -> EmbeddingSettings:
        if (self.width is None) == (self.source is None):
            raise ValueError("it needs either width or from, whose vectors have a width of their own")
        if self.frozen and self.source is None:
            raise ValueError("frozen needs from: vectors that start at random would stay so")
        return self


def _embedding(value: Any) -> Any:
    """A number is short for a section with the width alone."""
    return {"width": value} if isinstance(value, int) and not isinstance(value, bool) else value


Embedding = Annotated[
    EmbeddingSettings, BeforeValidator(_embedding, json_schema_input_type=PositiveInt | EmbeddingSettings)
]
"""The section, or the width alone."""
