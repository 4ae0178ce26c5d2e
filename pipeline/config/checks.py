"""What of a job cannot be, though each key by itself is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from components.evaluation_sets.settings import HELD_OUT
from pipeline.config.suggestions import nearest
from pipeline.tasks.metric import SPAN, Metric
from trainer.classifier.settings import DEFAULT_THRESHOLD, USED_BY
from trainer.tagger.spans import not_span_tags

if TYPE_CHECKING:
    from pipeline.config.job import ClassifierConfig, RunConfig, SliceGateSettings, TaggerConfig, Word2vecConfig


class Problem(NamedTuple):
    """One thing that cannot be; the parts of a JobError, with the key's path for its place."""

    path: tuple[str, ...]
    what: str
    found: str | None = None
    expected: str | None = None
    fix: str | None = None


def shared(config: RunConfig) -> Iterator[Problem]:
    """Yields what no task allows."""
    yield from _columns(config)
    yield from _splits(config)
    obstacle = config.transform.obstacle(config.corpus.kind)
    if obstacle:
        yield Problem(("transform",), "The transform does not fit the corpus.", f"{obstacle} ({config.corpus.kind})")
    yield from _gates(config)


def classifier(config: ClassifierConfig) -> Iterator[Problem]:
    """Yields what a classifier does not allow."""
    corpus, truncate = config.corpus, config.transform.truncate
    if corpus.label is None:
        yield Problem(
            ("corpus", "label"),
            "A classifier needs labels.",
            "no corpus.label",
            "the column or key that holds the class",
            "add label: to corpus:",
        )
    yield from _test_split(config)
    if truncate and truncate.to > config.trainer.batch_tokens:
        yield Problem(
            ("trainer", "batch_tokens"),
            "A batch cannot hold one document.",
            f"batch_tokens {config.trainer.batch_tokens} below transform.truncate.to {truncate.to}",
            f"{truncate.to} or more",
        )
    yield from _by_class(config, "class_weights", "A weight is given to a class that there is not.")
    if "auc" in config.gates and corpus.labels is None and not corpus.kind.multi_label:
        fix = "list the classes under corpus.labels"
        yield Problem(("gates", "auc"), "The AUC is measured class by class.", "no corpus.labels", "the classes", fix)
    for metric, gate in config.gates.items():
        if gate.slices and not corpus.source:
            yield Problem(("gates", metric, "slices"), "Thresholds by source need a source.", "no corpus.source")
    yield from _encoder(config)
    yield from _labels(config)


def tagger(config: TaggerConfig) -> Iterator[Problem]:
    """Yields what a tagger does not allow."""
    corpus, transform = config.corpus, config.transform
    if not corpus.kind.tokenized:
        expected = "format conll, or tf_sequence_example with corpus.tag"
        found = f"format {corpus.format}" + (" without corpus.tag" if corpus.format == "tf_sequence_example" else "")
        yield Problem(("corpus", "format"), "A tagger needs a tag for each token.", found, expected)
    yield from _test_split(config)
    for key in ("truncate", "pad", "min_length"):
        if getattr(transform, key):
            found = f"transform.{key}, which leaves tokens out"
            yield Problem(
                ("transform", key), "A tagger gives every token a tag.", found, "whole sentences", "remove it"
            )
    others = not_span_tags(corpus.tags or ())
    for metric in config.gates if others else ():
        if metric.startswith(SPAN):
            found = f"the tags {', '.join(others[:5])}" + (", ..." if len(others) > 5 else "")
            expected = "B-<type>, I-<type> and O under corpus.tags"
            yield Problem(("gates", metric), "Only BIO tags mark spans.", found, expected, "gate token_accuracy")


def word2vec(config: Word2vecConfig) -> Iterator[Problem]:
    """Yields what word vectors do not allow."""
    transform, evaluation = config.transform, config.evaluation
    if config.corpus.kind.tokenized:
        yield Problem(
            ("corpus", "format"),
            "Word vectors are trained on text.",
            f"the tagged tokens of format {config.corpus.format}",
            "documents of text",
        )
    if config.corpus.kind.multi_label:
        found = "corpus.multi_label in a job of task word2vec"
        yield Problem(("corpus", "multi_label"), "Word vectors need no labels.", found, fix="remove it")
    if config.corpus.weight is not None:
        found = "corpus.weight in a job of task word2vec"
        yield Problem(("corpus", "weight"), "Documents of word vectors have no weights.", found, fix="remove it")
    if config.trainer.boundary == "segment" and "segment" not in (transform.bos, transform.eos):
        yield Problem(
            ("trainer", "boundary"),
            "Nothing marks where a segment ends.",
            "boundary segment, but neither transform.eos nor transform.bos is segment",
            "a mark at each segment",
            "set transform.eos to segment, or boundary to document",
        )
    for metric, key in (("spearman", "pairs"), ("analogy_accuracy", "analogies")):
        sets = evaluation.judged_by(metric)
        if metric in config.gates and not sets:
            fix = f"name a file under evaluation.{key}"
            yield Problem(
                ("gates", metric), f"{metric} has nothing to be measured on.", f"no evaluation.{key}", fix=fix
            )
        else:
            yield from _slices(config, metric, sets)
    yield from _slices(config, "loss", (HELD_OUT,))


def _labels(config: ClassifierConfig) -> Iterator[Problem]:
    """What goes with one label a document alone, or with any number."""
    yield from _by_class(config, "thresholds", "A threshold is given to a class that there is not.")
    trainer, several = config.trainer, config.corpus.kind.multi_label
    if several and trainer.class_weights is not None:
        yield Problem(
            ("trainer", "class_weights"),
            "Classes have no weights where a document may have several.",
            "class_weights with corpus.multi_label",
            "every class counts alike",
            "remove class_weights; trainer.thresholds: tuned helps rare classes",
        )
    if several and trainer.ngrams is not None:
        yield Problem(
            ("trainer", "ngrams"),
            "N-grams are counted for documents of one class each.",
            "ngrams with corpus.multi_label",
            "no ngrams",
            "remove ngrams",
        )
    if not several and trainer.thresholds != DEFAULT_THRESHOLD:
        yield Problem(
            ("trainer", "thresholds"),
            "A document with one label has the likeliest.",
            "thresholds without corpus.multi_label",
            "corpus.multi_label: true",
            "remove thresholds",
        )


def _by_class(config: ClassifierConfig, key: str, what: str) -> Iterator[Problem]:
    """Names of classes that there are not, where the job lists the classes."""
    named, classes = getattr(config.trainer, key), list((config.corpus.labels or {}).values())
    for name in named if isinstance(named, dict) and classes else ():
        if name not in classes:
            near = nearest(name, classes)
            fix = f"did you mean {near}?" if near else None
            yield Problem(("trainer", key, name), what, name, ", ".join(classes), fix)


def _encoder(config: ClassifierConfig) -> Iterator[Problem]:
    trainer, transform = config.trainer, config.transform
    for key, encoders in USED_BY.items():
        changed = getattr(trainer, key) != type(trainer).model_fields[key].default
        if changed and trainer.encoder not in encoders:
            yield Problem(
                ("trainer", key),
                f"{key} has no use with encoder {trainer.encoder}.",
                key,
                f"encoder {' or '.join(encoders)}",
                f"remove {key}, or set another encoder",
            )
    if trainer.encoder == "hierarchical" and "segment" not in (transform.bos, transform.eos):
        yield Problem(
            ("trainer", "encoder"),
            "Nothing marks where a segment ends.",
            "encoder hierarchical, but neither transform.eos nor transform.bos is segment",
            "a mark at each segment",
            "set transform.eos to segment, or another encoder",
        )


def _columns(config: RunConfig) -> Iterator[Problem]:
    columns: dict[str, str] = {}
    for role in ("text", "label", "source", "id", "split", "weight"):
        column = getattr(config.corpus, role)
        if column in columns:
            found = f"{columns[column]} and {role} are both {column}"
            yield Problem(("corpus", role), "One column is named for two things.", found)
        elif column is not None:
            columns[column] = role


def _splits(config: RunConfig) -> Iterator[Problem]:
    place, splits = _split_names(config)
    missing = [split for split in ("train", "eval") if split not in splits]
    if missing:
        found = "the splits " + ", ".join(splits)
        yield Problem(place, f"The split {' and '.join(missing)} is missing.", found, "a path for train and for eval")


def _test_split(config: RunConfig) -> Iterator[Problem]:
    place, splits = _split_names(config)
    if "test" not in splits:
        found = "the splits " + ", ".join(splits)
        yield Problem(place, "The split test is missing; the Evaluator measures it.", found)


def _split_names(config: RunConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The key that names the splits, and the splits."""
    if isinstance(config.corpus.path, str):
        return ("splits",), tuple(config.splits.weights)
    return ("corpus", "path"), tuple(config.corpus.path)


def _gates(config: RunConfig) -> Iterator[Problem]:
    metrics, job = config.metrics, f"A job of task {config.task}" + " with multi_label" * config.corpus.kind.multi_label
    for name, gate in config.gates.items():
        path = ("gates", name)
        if not metrics:
            yield Problem(path, f"{job} publishes nothing.", "a gate", "no gates")
            continue
        if name not in metrics:
            near = nearest(name, metrics)
            fix = f"did you mean {near}?" if near else None
            yield Problem(path, f"{job} has no metric {name}.", name, ", ".join(metrics), fix)
            continue
        if not gate.model_fields_set:
            yield Problem(path, "A gate without a threshold lets everything pass.", "no key", "min, max_drop, ...")
        yield from _thresholds(path, name, metrics[name], gate)
        for place, limits in gate.slices.items():
            yield from _thresholds((*path, "slices", place), name, metrics[name], limits)


def _thresholds(path: tuple[str, ...], name: str, metric: Metric, gate: SliceGateSettings) -> Iterator[Problem]:
    right, wrong = (("min", "max_drop"), ("max", "max_rise"))[:: 1 if metric.better == "higher" else -1]
    for key, instead in zip(wrong, right, strict=True):
        if getattr(gate, key, None) is not None:
            what = f"{key} does not fit {name}: {metric.better} is better."
            yield Problem((*path, key), what, key, " and ".join(right), f"did you mean {instead}?")
    for key in right:
        value = getattr(gate, key, None)
        if value is not None and not metric.lowest <= value <= metric.highest:
            fix = f"did you mean {value / 100:g}?" if 1 < value <= 100 else None
            low, high = f"{metric.lowest:g}", f"{metric.highest:g}"
            yield Problem((*path, key), f"{name} lies between {low} and {high}.", f"{value:g}", f"{low} to {high}", fix)


def _slices(config: RunConfig, metric: str, sets: tuple[str, ...]) -> Iterator[Problem]:
    """The sources of word vectors' examples are the sets that they are judged by."""
    for name in config.gates[metric].slices if metric in config.gates else ():
        if name not in sets:
            near = nearest(name, sets)
            fix = f"did you mean {near}?" if near else None
            path = ("gates", metric, "slices", name)
            yield Problem(path, f"{metric} is not measured on {name}.", name, ", ".join(sets), fix)
