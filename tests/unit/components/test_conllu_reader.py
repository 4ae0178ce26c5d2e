import pytest

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.settings import CorpusSettings
from tests.unit.components.corpus_records import read
from trainer.data import kinds

WORDS = (("1", "vamos", "VERB", "V", "Mood=Ind|Number=Plur"), ("2", "nos", "PRON", "P", "Case=Acc"))


def line(number: str, form: str, upos: str = "_", xpos: str = "_", feats: str = "_") -> str:
    return "\t".join([number, form, "_", upos, xpos, feats, *"____"]) + "\n"


SENTENCE = "# sent_id = s-1\n# text\n" + line("1-2", "vámonos") + "".join(line(*word) for word in WORDS)
SENTENCE += line("2.1", "vamos", "VERB")


@pytest.mark.parametrize(
    ("tag", "tags"),
    [
        (None, ("VERB", "PRON")),
        ("upos", ("VERB", "PRON")),
        ("xpos", ("V", "P")),
        ("Number", ("Plur", "_")),
        ("Case", ("_", "Acc")),
    ],
)
def test_words_have_the_tag_of_a_column_or_a_feature(tag, tags) -> None:
    records = read(f"{SENTENCE}\r\n# sent_id = s-2\n{SENTENCE}", "conllu", tag=tag, id="sent_id")
    assert [(record.tokens, record.tags, record.id, record.line) for record in records] == [
        (("vamos", "nos"), tags, "s-1", 1),
        (("vamos", "nos"), tags, "s-1", 8),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line("1", "a", "X")[:-3] + "\n", "wrong number of columns: 9 in line 1 of the sentence, CoNLL-U has 10"),
        (line("1", "a", "X") + line("x", "b", "X"), "bad word id: 'x' in line 2 of the sentence"),
        (line("1", "a", "X") + line("2", "b"), "no tag: UPOS is not specified at token 2 of the sentence"),
        (line("1", " ", "X"), "no token: FORM is empty in line 1 of the sentence"),
    ],
)
def test_one_bad_line_makes_the_sentence_bad(text: str, reason: str) -> None:
    bad, good = read(f"{text}\n{SENTENCE}", "conllu")
    assert bad.reason == reason
    assert isinstance(good, Document)


def test_the_same_file_as_conll_is_not_read_with_ranges_as_words() -> None:
    assert CorpusSettings.model_validate({"format": "conllu", "path": "x"}).kind is kinds.TAGGED_TEXT
    (record,) = read(SENTENCE, "conll", delimiter="\t", columns={"token": 2, "tag": 4, "comment": "#"})
    assert record.reason.endswith("set corpus.format: conllu")
