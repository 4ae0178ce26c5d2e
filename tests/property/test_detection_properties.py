"""Whatever a file holds, `seqloom init` reads it as it was written, or says why it cannot."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.corpus_example_gen.detection import table_dialect
from components.corpus_example_gen.detection.encodings import decode, encoding_of
from components.corpus_example_gen.detection.guess import Sample, Wanted
from components.corpus_example_gen.detection.survey import survey
from components.corpus_example_gen.detection.token_columns import conll
from pipeline.config import source
from pipeline.scaffold.examine import examine
from pipeline.scaffold.job_yaml import job_name, render, scalar
from pipeline.tasks.loading import JOBS, load
from trainer.errors import JobError

WORDS = st.text("abcdefgé ,;|\"'.", min_size=1, max_size=30).map(lambda text: f"w{text}w")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS.filter(bool), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.just("x"), VALUES, min_size=1))
@example(
    {"x": ["y", "no", "1.0", "1e5", ".5", "~", "null", "- a", "a: b", "# c", "é\u2028", "\U0001f600", "\U000e0001", ""]}
)
def test_values_survive_the_yaml(value):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_text(f"x: {scalar(value['x'])}\n", encoding="utf-8")
        assert source.read(path).data == value


@given(st.text(max_size=90))
def test_the_name_of_a_job_is_valid(stem):
    values = {"task": "dataset", "corpus": {"format": "text", "path": "x"}}
    assert JOBS["dataset"].model_validate({"name": job_name(stem), **values})


@given(
    st.lists(st.tuples(WORDS, st.sampled_from(["pos", "neg"]), WORDS), min_size=8, max_size=20),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_table_is_read_as_it_was_written(rows, delimiter, quoting):
    rows = [("text", "label", "note"), *rows]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows(rows)
    dialect = table_dialect.dialect_of(text.getvalue(), ".csv")
    assert dialect is not None
    assert table_dialect.rows_of(text.getvalue(), dialect, 100) == [list(row) for row in rows]
    assert table_dialect.set_header(dialect, [list(row) for row in rows]) == ["text", "label", "note"]


TOKENS = st.tuples(st.text("abcdeé.,#-", min_size=1, max_size=8), st.sampled_from(["O", "B-LOC", "I-LOC"]))


@given(st.lists(st.lists(TOKENS, min_size=3, max_size=9), min_size=2, max_size=9), st.sampled_from([" ", "\t"]))
def test_sentences_in_columns_are_recognized(sentences, separator):
    blocks = ["\n".join(f"{token}{separator}{tag}" for token, tag in sentence) for sentence in sentences]
    guess = conll("\n\n".join(blocks) + "\n", ".conll", is_complete=True)
    assert guess is not None
    assert guess.values == {"format": "conll", "columns": {"token": 1, "tag": -1}}


@given(st.text(min_size=1).filter(lambda text: "\0" not in text), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_text_is_decoded_as_it_was_encoded(text, codec):
    text = f"plain words {text.encode('utf-8', 'ignore').decode()}".translate(dict.fromkeys(range(32), " "))
    sample = Sample("a", text.encode(codec), True)
    assert decode(sample, encoding_of(sample).name) == text


NAMES = ["text", "label", "pos", "1", "null", "é", "a b c", "__label__x "]
PIECES = st.sampled_from([*'{}[]",;|\t\n\\:# ', "\r\n", "\n\n", "\ufeff", "\0", *NAMES])
JUNK = st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode()) | st.binary(max_size=80)


@settings(max_examples=200)
@given(JUNK, st.sampled_from(["a.csv", "a.tsv", "a.txt", "a.json", "a.jsonl", "a.conll", "a.parquet", "a.gz", "a"]))
def test_any_file_gives_a_valid_job_or_a_reason(content, name):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        try:
            found = examine(str(path), Wanted())
        except JobError:
            return
        yaml = Path(folder, "job.yaml")
        yaml.write_text(render(found, "job", Path(folder), "seqloom init"), encoding="utf-8")
        job = load(yaml)
        assert job.task == found.task.name
        again = survey([str(path)], job.corpus)
        assert again == found.counts
