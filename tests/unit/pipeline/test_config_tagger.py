"""Jobs of task tagger: what they allow, and what is said of what they do not."""

import pytest

from pipeline.tasks import loading
from pipeline.tasks.tagger import TaggerJob
from trainer.errors import JobError
from trainer.tagger.settings import TaggerSettings

TAGGER = """\
name: names
task: tagger
corpus: {format: conll, path: data.conll, columns: {uneven: true}}
transform: {tokenizer: whitespace}
gates: {span_f1: {min: 0.5, slices: {data.conll: {min: 0.4}}}, token_accuracy: {max_drop: 0.01}, loss: {max: 0.3}}
"""
LISTS = """\
name: names
task: tagger
corpus: {format: tf_sequence_example, path: x, tokens: words, tag: ner, tags: [O, B-X, I-X], id: key}
transform: {tokenizer: whitespace}
"""


def load(tmp_path, text, *overrides):
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return loading.load(path, overrides)


def message(tmp_path, text, *overrides):
    with pytest.raises(JobError) as caught:
        load(tmp_path, text, *overrides)
    return str(caught.value)


def test_a_tagger_reads_columns_or_feature_lists(tmp_path):
    job = load(tmp_path, TAGGER)
    assert isinstance(job, TaggerJob)
    assert job.trainer == TaggerSettings()
    assert (job.trainer.bidirectional, job.trainer.label_smoothing) == (True, 0)
    assert (job.corpus.kind.name, job.corpus.class_names) == ("tagged_text", None)
    lists = load(tmp_path, LISTS)
    assert (lists.corpus.kind.name, lists.corpus.class_names) == ("tagged_text", ("O", "B-X", "I-X"))


@pytest.mark.parametrize(
    ("text", "override", "parts"),
    [
        (TAGGER, "corpus={format: text, path: x}", ["a tag for each token", "format text", "conll"]),
        (LISTS, "corpus={format: tf_sequence_example, path: x}", ["a tag for each token", "without corpus.tag"]),
        (TAGGER, "transform.tokenizer=words", ["transform", "A tagged corpus needs tokenizer whitespace"]),
        (TAGGER, "transform.truncate={to: 9}", ["cannot have transform.truncate", "remove truncate"]),
        (TAGGER, "transform.pad={to: 9}", ["cannot have transform.pad"]),
        (TAGGER, "transform.min_length=2", ["cannot have transform.min_length"]),
        (TAGGER, "splits={train: 9, eval: 1}", ["The split test is missing"]),
        (TAGGER, "gates.accuracy={min: 0.5}", ["no metric accuracy", "token_accuracy"]),
        (TAGGER, "gates.span_f1={max: 0.5}", ["higher is better"]),
        (TAGGER, "corpus.tags=[DT, NN, O]", ["gates.span_f1", "span_f1 needs BIO tags", "DT, NN", "token_accuracy"]),
        (TAGGER, "corpus.tags=[O, O]", ["corpus.tags", "distinct", "'O'"]),
        (TAGGER, "corpus.tags=[O]", ["at least two tags", "['O']"]),
        (TAGGER, "corpus.label=x", ["label does not apply to format conll"]),
        (TAGGER, "corpus.tag=x", ["tag does not apply", "expected: format tf_sequence_example"]),
        (LISTS, "corpus.label=x", ["cannot have both a label and tags"]),
        (LISTS, "corpus.tokens=ner", ["One feature list cannot be both", "found: ner"]),
        (LISTS, "corpus.tag=null", ["tokens needs tag"]),
        (
            LISTS,
            "corpus={format: csv, path: x, label: y, tags: [O, B]}",
            ["tags needs a tagged corpus", "format conll"],
        ),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(tmp_path, text, override, parts):
    told = message(tmp_path, text, override)
    for part in parts:
        assert part in told


def test_numbers_and_booleans_are_tags_as_the_corpus_spells_them(tmp_path):
    job = load(tmp_path, LISTS, "corpus.tags=[1, no, B-X]")
    assert job.corpus.tags == ("1", "no", "B-X")
    assert load(tmp_path, LISTS, "corpus.tags=[true, 2]").corpus.tags == ("true", "2")
