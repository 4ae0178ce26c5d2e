import hashlib
import io

import pytest

from components.corpus_example_gen.documents import Document, Part, Record
from components.corpus_example_gen.readers.formats import READERS
from components.corpus_example_gen.settings import CorpusSettings


def read(data: str, **values: object) -> list[Record]:
    settings = CorpusSettings.model_validate({"format": "conll", "path": "x", **values})
    return list(READERS["conll"].read(io.BytesIO(data.encode()), Part("/data/eng.train"), settings))


def test_conll_2003() -> None:
    data = (
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\r\n\r\n"
        "-DOCSTART- -X- -X- O\n# NN B-NP O\n1\u00a0000 CD I-NP O"
    )
    records = read(data)
    assert [(record.line, record.tokens, record.tags) for record in records] == [
        (3, ("EU", "rejects"), ("B-ORG", "O")),
        (6, ("Peter",), ("B-PER",)),
        (8, ("#", "1\u00a0000"), ("O", "O")),
    ]
    identity = hashlib.blake2b(b"EU\nrejects", digest_size=16).hexdigest()
    assert records[0] == Document((), None, "eng.train", identity, 3, None, ("EU", "rejects"), ("B-ORG", "O"))


def test_columns_delimiter_and_comments_can_be_chosen() -> None:
    data = "# sent_id = 1\n1\tNew York\tPROPN\t_\n2\tis\tAUX\t_\n\n# only a comment\n\n"
    (record,) = read(data, delimiter="\t", columns={"token": 2, "tag": 3, "comment": "#"})
    assert (record.tokens, record.tags) == (("New York", "is"), ("PROPN", "AUX"))
    (record,) = read("O EU\nO is\n", columns={"token": -1, "tag": 1})
    assert (record.tokens, record.tags) == (("EU", "is"), ("O", "O"))


def test_lines_may_differ_in_their_columns_where_it_is_said() -> None:
    data = "EU NNP ORG B-ORG\nx UNK O\n\ny\n\nz O\n"
    first, bad, last = read(data, columns={"uneven": True})
    assert (first.tokens, first.tags, last.tokens) == (("EU", "x"), ("B-ORG", "O"), ("z",))
    assert (bad.line, bad.reason) == (4, "too few columns: 1, the token is in column 1 and the tag in -1")


@pytest.mark.parametrize(
    ("sentence", "values", "reason"),
    [
        ("a\n", {}, "too few columns: 1, the token is in column 1 and the tag in -1"),
        (
            "a O\n",
            {"columns": {"tag": 3}},
            "too few columns: 2, the token is in column 1 and",
        ),
        ("a x O\nb O\n", {}, "wrong number of columns: 2 at token 2, the first has 3"),
        ("a\tO\n\tO\n", {"delimiter": "\t"}, "no token: the column is empty at token 2 of the sentence"),
        ("a\tO\nb\t\n", {"delimiter": "\t"}, "no tag: the column is empty at token 2 of the sentence"),
        ("a\0 O\n", {}, "NUL byte: at character 1 of the tokens"),
    ],
)
def test_a_bad_line_costs_its_sentence(sentence: str, values: dict[str, object], reason: str) -> None:
    good = "x\ty\tO\n" if "columns" in values else "x\tO\n"
    first, bad, last = read(f"{good}\n{sentence}\n{good}", **values)
    assert first.tokens == last.tokens == ("x",)
    assert bad.line == 3
    assert bad.reason.startswith(reason)


def test_empty_files_have_no_sentences() -> None:
    assert read("") == read("\n\n \n") == read("-DOCSTART- O\n\n") == []
