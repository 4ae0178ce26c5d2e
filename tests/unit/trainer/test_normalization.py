"""Normalized text against Python's own html, unicodedata and re."""

import html
import re
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer.settings import TransformSettings
from trainer.text.normalization import normalize, strip_html

# Characters of an old version of Unicode: tables here are not of the same version as Python's.
CHARACTERS = st.characters(exclude_categories=["Cs"]).filter(
    lambda character: unicodedata.ucd_3_2_0.category(character) != "Cn"
)
TEXTS = st.lists(st.text(CHARACTERS, max_size=20), min_size=1, max_size=5)
MARKUP = st.sampled_from(
    [
        *("<p>", "</p>", "<a href='x'>", "<br/>", "<!-- a<b -->", "<!DOCTYPE a>", "<", ">", "a", "1", "é", " ", "&"),
        *("&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#x27;", "&#X0027;", "&#0160;", "&nbsp;", "&hellip;", "&mdash;"),
        *("&rsquo;", "&copy;", "&euro;", "&#8364;", "&trade;", ";", "lt;"),
    ]
)


def run(texts: list[str | bytes], **values: object) -> list[str]:
    given_settings = TransformSettings.model_validate({"lowercase": False, **values})
    return [text.decode() for text in normalize(tf.constant(texts), given_settings).numpy().tolist()]


@given(TEXTS)
@settings(deadline=None)
def test_nothing_changes_without_a_setting(texts: list[str]) -> None:
    assert run(texts) == texts


@given(TEXTS, st.booleans(), st.booleans())
@settings(deadline=None)
def test_a_nul_is_a_space_and_ends_no_text(texts: list[str], nfkc: bool, digits: bool) -> None:
    options = {"lowercase": True, "nfkc": nfkc, "digits": digits}
    assert run(["\0".join(texts)], **options) == run([" ".join(texts).replace("\0", " ")], **options)


@given(TEXTS)
@example(["\u212b\ufb01\u2460 \u3000", "e\u0301", "\uff21\uff22", "\u1100\u1161"])
@settings(deadline=None)
def test_nfkc_matches_unicodedata(texts: list[str]) -> None:
    assert run(texts, nfkc=True) == [unicodedata.normalize("NFKC", text) for text in texts]


@given(st.lists(st.text(CHARACTERS | st.characters(categories=["Nd"], max_codepoint=0xFFFF)), min_size=1))
@example(["1984, \u0661\u0662 \u00b2 \u2167 x9"])
@settings(deadline=None)
def test_decimal_digits_become_zeros(texts: list[str]) -> None:
    expected = ["".join("0" if unicodedata.category(c) == "Nd" else c for c in text) for text in texts]
    known = [all(unicodedata.category(c) == unicodedata.ucd_3_2_0.category(c) for c in text) for text in texts]
    found = run(texts, digits=True)
    assert [text for text, old in zip(found, known, strict=True) if old] == [
        text for text, old in zip(expected, known, strict=True) if old
    ]


def reference(text: str) -> str:
    """Tags by Python's re, entities by Python's html; its no-break space is a space here."""
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)
    text = re.sub(r"</?[A-Za-z][^<>]*>|<![A-Za-z][^<>]*>", " ", text)
    # html.unescape takes some names without their semicolon; only whole entities count here.
    return re.sub(r"&#?\w+;", lambda match: html.unescape(match[0]).replace("\u00a0", " "), text)


@given(st.lists(MARKUP, max_size=15).map("".join))
@example("a < b and c > d <i>e</i>&amp;lt;b&amp;gt; <3")
@example("&#38;amp;&#60;b&#62;")
@settings(deadline=None, max_examples=300)
def test_html_is_stripped_as_in_the_reference(text: str) -> None:
    (found,) = strip_html(tf.constant([text])).numpy().tolist()
    assert found.decode() == reference(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a<script type='x'>if (a < b) {</script>b", "a b"),
        ("a<STYLE>p > a {}\n</style >b", "a b"),
        ("a<!-- <b> \n -->b", "a b"),
        ("I <3 you", "I <3 you"),
        ("&notanentity; &amp", "&notanentity; &amp"),
    ],
)
def test_html_that_is_not_text_is_removed_and_text_is_kept(text: str, expected: str) -> None:
    assert run([text], strip_html=True) == [expected]


def test_steps_run_in_order() -> None:
    # Entities before NFKC, NFKC before lower case, which before digits.
    assert run(["&lt;B&gt;\uff21\u2460"], strip_html=True, nfkc=True, lowercase=True, digits=True) == ["<b>a0"]
