"""Valid and invalid settings of the transform and of its output."""

import pytest
from pydantic import ValidationError

from trainer.data import kinds
from trainer.settings import OutputSettings, PadSettings, TransformSettings, TruncateSettings


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"pad": {"to": 5}, "truncate": {"to": 6}}, ["smaller than truncate.to", "pad.to 5, truncate.to 6"]),
        (
            {"bos": "document", "eos": "document", "truncate": {"to": 2}},
            ["no room for text. where: truncate.to found: 2 tokens", "3 or more"],
        ),
        ({"eos": "document", "pad": {"to": 1}}, ["no room for text. where: pad.to found: 1 tokens"]),
        ({"subwords": {"size": 500}}, ["subwords needs tokenizer subwords", "found: tokenizer words"]),
        ({"tokenizer": "subwords", "lowercase": True}, ["lowercase cannot be combined", "remove lowercase"]),
        ({"tokenizer": "subwords", "digits": True}, ["digits cannot be combined"]),
        ({"tokenizer": "subwords", "max_token_bytes": 9}, ["max_token_bytes cannot be combined"]),
        ({"tokenizer": "subwords", "oov_buckets": 2}, ["oov_buckets has no effect with tokenizer subwords"]),
        ({"tokenizer": "subwords", "vocabulary": "words.txt"}, ["vocabulary has no effect with tokenizer subwords"]),
        ({"tokenizer": "subwords", "subwords": {"size": 200}}, ["greater than or equal to 300"]),
        ({"tokenizer": "subwords", "phrases": {}}, ["phrases needs words", "found: tokenizer subwords"]),
        ({"tokenizer": "characters", "phrases": {}}, ["phrases needs words", "found: tokenizer characters"]),
        ({"vocabulary": "words.txt", "phrases": {}}, ["phrases cannot be combined with vocabulary"]),
        ({"phrases": {"delimiter": ""}}, ["'' is not one or more printable characters"]),
        ({"phrases": {"delimiter": " "}}, ["' ' is not one or more printable"]),
        ({"phrases": {"delimiter": "_\u2028"}}, ["is not one or more printable"]),
        ({"phrases": {"delimiter": "\0"}}, ["is not one or more printable"]),
        ({"phrases": {"threshold": 0}}, ["greater than 0"]),
        ({"phrases": {"min_count": 0}}, ["greater than 0"]),
        ({"phrases": {"passes": 5}}, ["less than or equal to 4"]),
        ({"reserved": ["<pad>"]}, ["'<pad>' is already reserved"]),
        ({"reserved": ["a", "a"]}, ["'a' is already reserved"]),
        ({"reserved": ["a b"]}, ["'a b' is empty, or has white space"]),
        ({"reserved": [""]}, ["'' is empty"]),
        ({"reserved": ["a\\b"]}, ["backslash"]),
        ({"min_coverage": 0}, ["greater than 0"]),
        ({"min_coverage": 1.1}, ["less than or equal to 1"]),
        ({"bos": "sentence"}, ["'document' or 'segment'"]),
        ({"tokenizer": "word"}, ["'words', 'whitespace', 'characters' or 'subwords'"]),
    ],
)
def test_invalid_settings_are_rejected(values: dict, parts: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TransformSettings.model_validate(values)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("values", "part"),
    [({"shard_mb": 0}, "greater than 0"), ({"level": "fast"}, "level"), ({"compression": "zip"}, "'gzip' or 'none'")],
)
def test_invalid_output_is_rejected(values: dict, part: str) -> None:
    with pytest.raises(ValidationError, match=part):
        OutputSettings.model_validate(values)


def test_settings_survive_json() -> None:
    output = OutputSettings(compression="none", shard_mb=1)
    assert OutputSettings.model_validate_json(output.model_dump_json()) == output
    values = {"tokenizer": "subwords", "reserved": ["<user>"], "pad": {"to": 9, "side": "left"}, "bos": "segment"}
    settings = TransformSettings.model_validate({**values, "truncate": {"to": 9}, "strip_html": True, "nfkc": True})
    assert TransformSettings.model_validate_json(settings.model_dump_json()) == settings
    assert TransformSettings.model_validate_json("{}") == TransformSettings()


def test_truncation_is_given_or_follows_from_padding() -> None:
    assert TransformSettings().truncation is None
    given = TruncateSettings(to=4, keep="tail")
    assert TransformSettings(truncate=given).truncation == given
    assert TransformSettings(truncate=given, pad=PadSettings(to=9)).truncation == given
    assert TransformSettings(pad=PadSettings(to=9)).truncation == TruncateSettings(to=9, keep="head")


def test_marks_of_documents_are_counted_and_those_of_segments_are_not() -> None:
    assert TransformSettings().document_marks == 0
    assert TransformSettings(bos="document", eos="segment").document_marks == 1
    assert TransformSettings(bos="document", eos="document").document_marks == 2
    assert TransformSettings(eos="segment", truncate={"to": 1}).document_marks == 0


@pytest.mark.parametrize(("tokenizer", "expected"), [("words", True), ("whitespace", False), ("subwords", False)])
def test_lower_case_is_the_default_of_words_alone(tokenizer: str, expected: bool) -> None:
    assert TransformSettings(tokenizer=tokenizer).lowercased == expected
    assert TransformSettings(lowercase=False).lowercased is False
    assert TransformSettings(tokenizer="characters", lowercase=True).lowercased is True


def test_phrases_do_not_go_with_tags() -> None:
    settings = TransformSettings(tokenizer="whitespace", phrases={})
    obstacle = settings.obstacle(kinds.TAGGED_TEXT)
    assert obstacle is not None
    assert (obstacle.path, obstacle.fix) == (("phrases",), "remove phrases")
    assert settings.obstacle(kinds.PLAIN_TEXT) is None
    assert TransformSettings.model_validate_json(settings.model_dump_json()) == settings
