"""Words as written, in any script, and texts without them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.text.word_runs import MAX_RUNS, without, word_runs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's a film, isn't it?", ["It's", "a", "film,", "isn't", "it?"]),
        ("extraordinarily", ["extraordinarily"]),
        (" \u00a0two\u2003words\n", ["two", "words"]),
        ("日本のfilm 2本。", ["日", "本", "の", "film", "2", "本", "。"]),
        ("ที่นี่ดี", ["ที่", "นี่", "ดี"]),
        ("か\u3099く", ["か\u3099", "く"]),
        ("안녕 세계", ["안녕", "세계"]),
    ],
)
def test_words_are_as_written(text, words):
    assert [text[run.start : run.end] for run in word_runs(text)] == words
    assert [run.position for run in word_runs(text)] == list(range(len(words)))


@given(st.text(st.sampled_from("ab .\n\t好の\u3099é"), max_size=900))
def test_runs_cover_a_text_and_each_is_left_out_alone(text):
    found = word_runs(text)
    assert len(found) <= MAX_RUNS
    compact = "".join(text.split())
    assert "".join("".join(text[run.start : run.end].split()) for run in found) == compact
    for number, run in enumerate(found):
        rest = without(text, run)
        others = found[:number] + found[number + 1 :]
        assert "".join(rest.split()) == "".join("".join(text[o.start : o.end].split()) for o in others)
        assert not re.search(r"\s{2}", rest) or re.search(r"\s{2}", text)
