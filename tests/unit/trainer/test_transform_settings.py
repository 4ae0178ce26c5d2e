"""Valid and invalid settings of the transform and of its output."""

import pytest
from pydantic import ValidationError

from trainer.settings import OutputSettings, TransformSettings, TruncateSettings


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


KEPT = {"to": 4, "keep": "tail"}


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({}, "truncation", None),
        ({"truncate": KEPT}, "truncation", TruncateSettings(**KEPT)),
        ({"truncate": KEPT, "pad": {"to": 9}}, "truncation", TruncateSettings(**KEPT)),
        ({"pad": {"to": 9}}, "truncation", TruncateSettings(to=9, keep="head")),
        ({}, "document_marks", 0),
        ({"bos": "document", "eos": "segment"}, "document_marks", 1),
        ({"bos": "document", "eos": "document"}, "document_marks", 2),
        ({"eos": "segment", "truncate": {"to": 1}}, "document_marks", 0),
        ({}, "lowercased", True),
        ({"lowercase": False}, "lowercased", False),
        ({"tokenizer": "whitespace"}, "lowercased", False),
        ({"tokenizer": "subwords"}, "lowercased", False),
        ({"tokenizer": "characters", "lowercase": True}, "lowercased", True),
    ],
)
def test_some_values_are_derived_from_other_settings(values: dict, name: str, expected: object) -> None:
    assert getattr(TransformSettings.model_validate(values), name) == expected
