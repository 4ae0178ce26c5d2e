"""Classifiers of documents, with one label per document or any number of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.config.checks import segment_problems
from pipeline.tasks.gate_checks import OVER_LINEAR
from pipeline.tasks.metric import Metric
from pipeline.tasks.supervised_job import SupervisedJob, SupervisedTask
from pipeline.tasks.task import DATA, Goal
from trainer.classifier.settings import DEFAULT_THRESHOLD, USED_BY, ClassifierSettings
from trainer.data.kinds import LABELLED_TEXT, MULTI_LABELLED_TEXT
from trainer.errors import Problem
from trainer.text.suggestions import did_you_mean
from trainer.training.settings import AUTO

_METRICS = "trainer.classifier.metrics"


class ClassifierJob(SupervisedJob):
    """A job that trains a classifier of documents."""

    task: Annotated[Literal["classifier"], Field(description="classifier: labels of documents.")]
    trainer: ClassifierSettings = Field(default_factory=ClassifierSettings, description="The model and its training.")
    baselines: Literal["on", "off"] = Field(
        "on", description="on: also measures the most frequent class and a linear model on the same splits."
    )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys that are valid alone but not together."""
        yield from super().problems()
        corpus, truncate = self.corpus, self.transform.truncate
        if not corpus.is_labelled and corpus.labels is None and not corpus.multi_label:
            expected, fix = "label: the column or key of the class", "add label: to corpus:"
            yield Problem(("corpus", "label"), "A classifier needs labels.", "no corpus.label", expected, fix)
        if truncate and self.trainer.batch_tokens != AUTO and truncate.to > self.trainer.batch_tokens:
            found = f"batch_tokens {self.trainer.batch_tokens} below transform.truncate.to {truncate.to}"
            what = "A batch cannot hold one document."
            yield Problem(("trainer", "batch_tokens"), what, found, f"{truncate.to} or more")
        yield from self._encoder_problems()
        yield from self._class_problems()
        yield from self._label_problems()
        yield from self._gate_problems()

    def _encoder_problems(self) -> Iterator[Problem]:
        trainer, encoder = self.trainer, self.trainer.encoder
        # Checked here and not in the section, because a search may vary the encoder together with its keys.
        for key, encoders in USED_BY.items():
            if getattr(trainer, key) != type(trainer).model_fields[key].default and encoder not in encoders:
                what, expected = f"{key} has no effect with encoder {encoder}.", f"encoder {' or '.join(encoders)}"
                fix = f"remove {key}, or set another encoder"
                yield Problem(("trainer", key), what, f"encoder {encoder}", expected, fix)
        if encoder == "hierarchical":
            yield from segment_problems(("trainer", "encoder"), encoder, self.transform)

    def _class_problems(self) -> Iterator[Problem]:
        """Yields the settings for unknown classes, if the job lists its classes."""
        classes = list((self.corpus.labels or {}).values())
        for key in ("class_weights", "thresholds"):
            named = getattr(self.trainer, key)
            for name in named if isinstance(named, dict) and classes else ():
                if name not in classes:
                    what, fix = f"{key} names an unknown class.", did_you_mean(name, classes)
                    yield Problem(("trainer", key, name), what, name, ", ".join(classes), fix)

    def _label_problems(self) -> Iterator[Problem]:
        """Yields the keys that are valid only for one label per document, or only for any number of labels."""
        trainer = self.trainer
        if self.corpus.kind.multi_label:
            if trainer.class_weights is not None:
                what = "class_weights cannot be combined with corpus.multi_label."
                fix = "remove class_weights; trainer.thresholds: tuned helps rare classes"
                yield Problem(("trainer", "class_weights"), what, "multi_label: true", "one label per document", fix)
        elif trainer.thresholds != DEFAULT_THRESHOLD:
            found = "one label per document, which is always the most likely one"
            fix = "remove thresholds, or set corpus.multi_label: true"
            yield Problem(("trainer", "thresholds"), "thresholds needs corpus.multi_label.", found, fix=fix)

    def _gate_problems(self) -> Iterator[Problem]:
        corpus = self.corpus
        if "auc" in self.gates and corpus.labels is None and not corpus.kind.multi_label:
            expected, fix = "the classes, one AUC for each", "list the classes under corpus.labels"
            yield Problem(("gates", "auc"), "A gate on auc needs corpus.labels.", "no corpus.labels", expected, fix)
        for metric, gate in self.gates.items():
            for key in OVER_LINEAR if self.baselines == "off" else ():
                if getattr(gate, key) is not None:
                    what, fix = f"{key} needs the linear model.", f"remove baselines: off, or {key}"
                    yield Problem(("gates", metric, key), what, "baselines: off", "baselines: on", fix)
            if gate.slices and not corpus.source:
                what, expected = "Thresholds by source need corpus.source.", "source: the column or key of the source"
                yield Problem(("gates", metric, "slices"), what, "no corpus.source", expected)


class ClassifierTask(SupervisedTask[ClassifierJob]):
    """Labels of documents."""

    name = "classifier"
    about = "labels of documents"
    job = ClassifierJob
    suits = MappingProxyType(
        {
            LABELLED_TEXT: "accuracy: {min: 0.8, max_drop: 0.01}",
            MULTI_LABELLED_TEXT: "macro_f1: {min: 0.5, max_drop: 0.02}",
        }
    )

    def components(self, job: ClassifierJob, goal: Goal = "publish") -> tuple[str, ...]:
        """Returns the components that a goal needs, in the order they run."""
        found = super().components(job, goal)
        baseline = ("LinearBaseline",) if job.baselines == "on" and goal == "publish" else ()
        return (*DATA, *baseline, *found[len(DATA) :])

    def training(self, job: ClassifierJob) -> str:
        """Returns the dotted path of the training."""
        del job
        return "trainer.classifier.training:CLASSIFIER"

    def metrics(self, job: ClassifierJob) -> Mapping[str, Metric]:
        """Returns the metrics by name, without the AUC of each class if the job does not list its classes."""
        if job.corpus.kind.multi_label:
            figures, accuracy = f"{_METRICS}.many_labels", "exact_match"
            others = ["macro_f1", "micro_f1", "micro_precision", "micro_recall"]
        else:
            figures, accuracy = f"{_METRICS}.one_label", "accuracy"
            others = ["auc"] if job.corpus.class_names else []
        return {
            "accuracy": Metric("higher", f"{figures}:{accuracy}", 0, 1, linear=True, documents=True),
            "loss": Metric("lower", f"{figures}:mean_loss", 0, linear=True),
            **{name: Metric("higher", f"{figures}:{name}", 0, 1, linear=True) for name in others},
        }

    def judged_by(self, job: ClassifierJob) -> str:
        """Returns the signature of the model that the Evaluator calls with raw examples."""
        return "judge" if job.corpus.kind.multi_label else "serve_examples"

    def report(self, training: Mapping[str, Any]) -> Iterator[str]:
        """Yields also what the linear classifier of n-grams adds."""
        yield from super().report(training)
        joint = training.get("joint")
        if joint:
            encoder, ngrams = joint["encoder_share"], joint["ngram_share"]
            linear, loss = (
                f"{joint['ngrams']:,} n-grams times {ngrams:.2f}",
                f"an eval loss of {joint['eval_loss']:.4f}",
            )
            if encoder:
                yield f"the model adds the encoder times {encoder:.2f} and {linear}, with {loss}"
            else:
                yield f"the encoder adds nothing to the n-grams and is left out: the model is {linear}, with {loss}"

    def answers(self) -> Mapping[str, str]:
        """Returns the dotted path of the class that answers each command."""
        return {
            "predict": "trainer.classifier.answers:LabelAnswers",
            "predict --explain": "trainer.classifier.answers:ExplainedAnswers",
        }


CLASSIFIER = ClassifierTask()
