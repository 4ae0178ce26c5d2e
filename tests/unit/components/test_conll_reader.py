import hashlib

import pytest

from components.corpus_example_gen.documents import Document
from tests.unit.components.corpus_records import read


def pairs(data: str, **values: object) -> list[object]:
    """Each document's tokens with their tags, or line and reason."""
    return [
        list(zip(record.tokens, record.tags, strict=True))
        if isinstance(record, Document)
        else (record.line, record.reason)
        for record in read(data, "conll", **values)
    ]


def test_conll_2003() -> None:
    data = (
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\r\n\r\n"
        "-DOCSTART- -X- -X- O\n# NN B-NP O\n1\u00a0000 CD I-NP O"
    )
    records = read(data, "conll")
    assert [(record.line, record.tokens, record.tags) for record in records[1:]] == [
        (6, ("Peter",), ("B-PER",)),
        (8, ("#", "1\u00a0000"), ("O", "O")),
    ]
    identity = hashlib.blake2b(b"EU\nrejects", digest_size=16).hexdigest()
    assert records[0] == Document((), None, "corpus", identity, 3, None, ("EU", "rejects"), ("B-ORG", "O"))


@pytest.mark.parametrize(
    ("data", "values", "expected"),
    [
        (
            "# sent_id = 1\n1\tNew York\tPROPN\t_\n2\tis\tAUX\t_\n\n# only a comment\n\n",
            {"delimiter": "\t", "columns": {"token": 2, "tag": 3, "comment": "#"}},
            [[("New York", "PROPN"), ("is", "AUX")]],
        ),
        ("O EU\nO is\n", {"columns": {"token": -1, "tag": 1}}, [[("EU", "O"), ("is", "O")]]),
        (
            "EU NNP ORG B-ORG\nx UNK O\n\ny\n\nz O\n",
            {"columns": {"uneven": True}},
            [
                [("EU", "B-ORG"), ("x", "O")],
                (4, "too few columns: 1, the token is in column 1 and the tag in -1"),
                [("z", "O")],
            ],
        ),
        *((data, {}, []) for data in ("", "\n\n \n", "-DOCSTART- O\n\n")),
    ],
)
def test_columns_are_configurable(data: str, values: dict[str, object], expected: list) -> None:
    assert pairs(data, **values) == expected


@pytest.mark.parametrize(
    ("sentence", "values", "reason"),
    [
        ("a\n", {}, "too few columns: 1, the token is in column 1 and the tag in -1"),
        ("a O\n", {"columns": {"tag": 3}}, "too few columns: 2, the token is in column 1 and the tag in 3"),
        ("a x O\nb O\n", {}, "wrong number of columns: 2 at token 2, the first has 3"),
        ("a\tO\n\tO\n", {"delimiter": "\t"}, "no token: the value is empty at token 2 of the sentence"),
        ("a\tO\nb\t\n", {"delimiter": "\t"}, "no tag: the value is empty at token 2 of the sentence"),
        (
            "a,O\nb,O\n",
            {},
            "too few columns: 1, the token is in column 1 and the tag in -1;"
            " ',' may separate them: set corpus.delimiter",
        ),
        (
            "a O\nb O\n",
            {"delimiter": "\t"},
            "too few columns: 1, the token is in column 1 and the tag in -1;"
            " white space may separate them: remove corpus.delimiter",
        ),
        (",\n", {}, "too few columns: 1, the token is in column 1 and the tag in -1"),
        ("a O\n\u00a0\u2003 O\n", {}, "no token: the value is white space, U+00A0 U+2003 at token 2 of the sentence"),
        ("a\0 O\n", {}, "NUL byte: at character 1 of the tokens"),
    ],
)
def test_a_bad_line_invalidates_its_sentence(sentence: str, values: dict[str, object], reason: str) -> None:
    good = "x\ty\tO\n" if "columns" in values else "x\tO\n"
    assert pairs(f"{good}\n{sentence}\n{good}", **values) == [[("x", "O")], (3, reason), [("x", "O")]]


@pytest.mark.parametrize(("format", "line"), [("conll", "a O\n"), ("conllu", "1\ta\ta\tX\t_\t_\t_\t_\t_\t_\n")])
def test_only_a_sentence_over_the_limit_is_lost(monkeypatch: pytest.MonkeyPatch, format: str, line: str) -> None:
    monkeypatch.setattr(f"components.corpus_example_gen.readers.{format}_reader.MAX_SENTENCE_BYTES", 3 * len(line))
    first, bad, last = read(f"{line}\n{line * 4}\n{line * 3}".encode(), format)
    assert (first.tokens, last.tokens) == (("a",), ("a", "a", "a"))
    assert (bad.line, bad.reason) == (3, "record too long: more than 0 MiB")
