"""Classifiers of documents: one label a document, or any number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.checks import Problem
from pipeline.tasks.gate_checks import gate_problems
from pipeline.tasks.metric import JudgedBy, Metric
from pipeline.tasks.supervised_job import SupervisedJob, SupervisedTask
from trainer.classifier.settings import DEFAULT_THRESHOLD, USED_BY, ClassifierSettings
from trainer.text.suggestions import closest

_METRICS = "trainer.classifier.metrics"


class ClassifierJob(SupervisedJob):
    """A job that trains a classifier of documents."""

    task: Annotated[Literal["classifier"], Field(description="classifier: labels of documents.")]
    trainer: ClassifierSettings = Field(default_factory=ClassifierSettings, description="The model and its training.")

    def problems(self) -> Iterator[Problem]:
        """Yields settings that are valid alone but not together."""
        yield from super().problems()
        corpus, truncate = self.corpus, self.transform.truncate
        if corpus.label is None:
            expected = "the column or key that holds the class"
            fix = "add label: to corpus:"
            yield Problem(("corpus", "label"), "A classifier needs labels.", "no corpus.label", expected, fix)
        if truncate and truncate.to > self.trainer.batch_tokens:
            found = f"batch_tokens {self.trainer.batch_tokens} below transform.truncate.to {truncate.to}"
            yield Problem(
                ("trainer", "batch_tokens"), "A batch cannot hold one document.", found, f"{truncate.to} or more"
            )
        if "auc" in self.gates and corpus.labels is None and not corpus.kind.multi_label:
            what, fix = "The AUC is measured class by class.", "list the classes under corpus.labels"
            yield Problem(("gates", "auc"), what, "no corpus.labels", "the classes", fix)
        for metric, gate in self.gates.items():
            if gate.slices and not corpus.source:
                yield Problem(("gates", metric, "slices"), "Gates by source need a source.", "no corpus.source")
        yield from self._encoder_problems()
        yield from self._label_problems()
        subject = "A classifier" + " with multi_label" * corpus.kind.multi_label
        yield from gate_problems(self, CLASSIFIER.metrics(self, known=False), subject)

    def _encoder_problems(self) -> Iterator[Problem]:
        trainer, transform = self.trainer, self.transform
        for key, encoders in USED_BY.items():
            changed = getattr(trainer, key) != type(trainer).model_fields[key].default
            if changed and trainer.encoder not in encoders:
                yield Problem(
                    ("trainer", key),
                    f"{key} has no effect with encoder {trainer.encoder}.",
                    key,
                    f"encoder {' or '.join(encoders)}",
                    f"remove {key}, or set another encoder",
                )
        if trainer.encoder == "hierarchical" and "segment" not in (transform.bos, transform.eos):
            yield Problem(
                ("trainer", "encoder"),
                "No token marks the end of a segment.",
                "encoder hierarchical, but neither transform.eos nor transform.bos is segment",
                "a mark at each segment",
                "set transform.eos to segment, or another encoder",
            )

    def _label_problems(self) -> Iterator[Problem]:
        yield from self._unknown_classes("class_weights")
        yield from self._unknown_classes("thresholds")
        trainer, several = self.trainer, self.corpus.kind.multi_label
        if several and trainer.class_weights is not None:
            yield Problem(
                ("trainer", "class_weights"),
                "Classes have no weights where a document may have several labels.",
                "class_weights with corpus.multi_label",
                "every class counts the same",
                "remove class_weights; trainer.thresholds: tuned helps rare classes",
            )
        if several and trainer.ngrams is not None:
            what, found = "N-grams need documents of one class each.", "ngrams with corpus.multi_label"
            yield Problem(("trainer", "ngrams"), what, found, "no ngrams", "remove ngrams")
        if not several and trainer.thresholds != DEFAULT_THRESHOLD:
            what = "Thresholds need documents with any number of labels."
            found, expected = "thresholds without corpus.multi_label", "corpus.multi_label: true"
            yield Problem(("trainer", "thresholds"), what, found, expected, "remove thresholds")

    def _unknown_classes(self, key: str) -> Iterator[Problem]:
        """Yields names of classes that the job does not list, where it lists any."""
        named, classes = getattr(self.trainer, key), list((self.corpus.labels or {}).values())
        for name in named if isinstance(named, dict) and classes else ():
            if name not in classes:
                near = closest(name, classes)
                fix = f"did you mean {near}?" if near else None
                yield Problem(("trainer", key, name), f"{key} names an unknown class.", name, ", ".join(classes), fix)


class ClassifierTask(SupervisedTask[ClassifierJob]):
    """Labels of documents."""

    name = "classifier"
    about = "labels of documents"
    job = ClassifierJob

    def training(self, job: ClassifierJob) -> str:
        """Returns the place of what trains."""
        del job
        return "trainer.classifier.training:CLASSIFIER"

    def metrics(self, job: ClassifierJob, *, known: bool = True) -> Mapping[str, Metric]:
        """Returns the metrics by name.

        The AUC of two classes is that of the second; of more, each against the rest, of which the lowest counts.

        Args:
            job: The job.
            known: Without those that cannot be computed because the job lists no classes.
        """
        if job.corpus.kind.multi_label:
            shares = ("macro_f1", "micro_f1", "micro_precision", "micro_recall")
            return {
                "accuracy": Metric("higher", 0, 1, figure=f"{_METRICS}:exact_match"),
                "loss": Metric("lower", 0, figure=f"{_METRICS}:mean_loss"),
                **{name: Metric("higher", 0, 1, figure=f"{_METRICS}:{name}") for name in shares},
            }
        auc = {"auc": Metric("higher", 0, 1, stock="AUC", per_class=True)}
        return {
            "accuracy": Metric("higher", 0, 1, stock="SparseCategoricalAccuracy"),
            "loss": Metric("lower", 0, stock="SparseCategoricalCrossentropy"),
            **(auc if job.corpus.class_names or not known else {}),
        }

    def judged_by(self, job: ClassifierJob) -> JudgedBy:
        """Returns how the Evaluator asks the model: each through its own transform graph."""
        return (
            JudgedBy()
            if job.corpus.kind.multi_label
            else JudgedBy("serve_examples", "label_ids", "label_id", "probabilities")
        )

    def answers(self) -> Mapping[str, str]:
        """Returns what answers a command about a published model."""
        return {"predict": "trainer.classifier.answers:LabelAnswers"}


CLASSIFIER = ClassifierTask()
