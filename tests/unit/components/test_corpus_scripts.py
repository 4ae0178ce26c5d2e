"""The script of letters, against the names that Unicode gives them."""

import re
import unicodedata

import pytest
from tensorflow_metadata.proto.v0 import schema_pb2

from components.corpus_validator import scripts
from trainer.errors import JobError

NAMED = {"CJK": "Han", "HENTAIGANA": "Hiragana"}


def feature(*tags: str) -> schema_pb2.Feature:
    return schema_pb2.Feature(name="text", annotation=schema_pb2.Annotation(tag=tags))


def test_every_letter_has_the_script_that_its_name_starts_with() -> None:
    seen, wrong = dict.fromkeys(scripts.SCRIPTS, 0), []
    for code in range(0x110000):
        name = unicodedata.name(chr(code), "")
        if unicodedata.category(chr(code))[0] != "L" or not name:
            continue
        first = re.split("[ -]", name)[0]
        script = NAMED.get(first, first.capitalize())
        if script in seen:
            seen[script] += 1
            if scripts.shares(scripts.count_letters(chr(code))) != {script: 1.0}:
                wrong.append(name)
    assert min(seen.values()) >= 30
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, 123!", {"Latin": 1.0}),
        ("naïve Ærø ﬁ", {"Latin": 1.0}),
        ("ラーメン ー ｰ", {"Katakana": 1.0}),
        ("м\u02bcят", {"Cyrillic": 0.75, "Latin": 0.25}),
        ("ʰθᵝ〆", {"Latin": 0.25, "Greek": 0.5, "Han": 0.25}),
        ("ab вг", {"Latin": 0.5, "Cyrillic": 0.5}),
        ("日本語です", {"Han": 0.6, "Hiragana": 0.4}),
        ("123 !? \U0001f600", {}),
        ("", {}),
    ],
)
def test_shares_count_only_letters(text: str, expected: dict[str, float]) -> None:
    assert scripts.shares(scripts.count_letters(text)) == expected
    # Texts without letters break no rule.
    assert scripts.share(scripts.count_letters("42"), ("Latin",)) == 1.0


@pytest.mark.parametrize(
    "tags",
    [["script:Latn>=0.9"], ["script:Latin"], ["script:Latin>=95"], ["script:Latin>=.9", "script:Greek>=.9"]],
    ids=str,
)
def test_a_rule_is_read_from_a_tag_among_others_or_is_an_error(tags: list[str]) -> None:
    assert scripts.rule(feature("pii", "script:Han+Hiragana>=0.9")) == (("Han", "Hiragana"), 0.9)
    assert scripts.rule(feature("pii")) is None
    with pytest.raises(JobError, match="Latin, Greek, Cyrillic"):
        scripts.rule(feature(*tags))
