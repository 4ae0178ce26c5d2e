"""Jobs of task classifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from pipeline.config import checks
from pipeline.config.run_config import TASK, SupervisedConfig
from pipeline.config.suggestions import did_you_mean
from pipeline.tasks.metric import MULTI_LABEL, Metric
from trainer.classifier.settings import DEFAULT_THRESHOLD, USED_BY, ClassifierSettings
from trainer.errors import Problem


class ClassifierConfig(SupervisedConfig):
    """A job that trains a classifier of documents."""

    task: Annotated[Literal["classifier"], TASK]
    trainer: ClassifierSettings = Field(default_factory=ClassifierSettings, description="The model and its training.")

    @property
    def trained_task(self) -> str:
        """The task as `trainer.jobs.tasks` names it."""
        return "multi_label_classifier" if self.corpus.multi_label else self.task

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that gates may use."""
        return MULTI_LABEL if self.corpus.multi_label else super().metrics

    def problems(self) -> Iterator[Problem]:
        """Yields the keys that are valid alone but not together."""
        yield from super().problems()
        corpus, truncate = self.corpus, self.transform.truncate
        if corpus.label is None and corpus.labels is None and not corpus.multi_label:
            expected, fix = "label: the column or key of the class", "add label: to corpus:"
            yield Problem(("corpus", "label"), "A classifier needs labels.", "no corpus.label", expected, fix)
        if truncate and truncate.to > self.trainer.batch_tokens:
            found = f"batch_tokens {self.trainer.batch_tokens} below transform.truncate.to {truncate.to}"
            what = "A batch cannot hold one document."
            yield Problem(("trainer", "batch_tokens"), what, found, f"{truncate.to} or more")
        yield from self._encoder_problems()
        yield from self._class_problems()
        yield from self._label_problems()
        yield from self._gate_problems()

    def _encoder_problems(self) -> Iterator[Problem]:
        trainer, encoder = self.trainer, self.trainer.encoder
        # Not a problem of the section: the trials of a search may vary the encoder and its keys together.
        for key, encoders in USED_BY.items():
            if getattr(trainer, key) != type(trainer).model_fields[key].default and encoder not in encoders:
                what, expected = f"{key} has no effect with encoder {encoder}.", f"encoder {' or '.join(encoders)}"
                fix = f"remove {key}, or set another encoder"
                yield Problem(("trainer", key), what, f"encoder {encoder}", expected, fix)
        if encoder == "hierarchical":
            yield from checks.segment_problems(("trainer", "encoder"), encoder, self.transform)

    def _class_problems(self) -> Iterator[Problem]:
        """Yields the unknown classes, if the job lists the classes."""
        classes = list((self.corpus.labels or {}).values())
        for key in ("class_weights", "thresholds"):
            named = getattr(self.trainer, key)
            for name in named if isinstance(named, dict) and classes else ():
                if name not in classes:
                    what, fix = f"{key} names an unknown class.", did_you_mean(name, classes)
                    yield Problem(("trainer", key, name), what, name, ", ".join(classes), fix)

    def _label_problems(self) -> Iterator[Problem]:
        """Yields the keys that need exactly one label per document, or any number of labels."""
        trainer = self.trainer
        if self.corpus.multi_label:
            fixes = {
                "class_weights": "remove class_weights; trainer.thresholds: tuned helps rare classes",
                "ngrams": "remove ngrams",
            }
            for key, fix in fixes.items():
                if getattr(trainer, key) is not None:
                    what = f"{key} cannot be combined with corpus.multi_label."
                    yield Problem(("trainer", key), what, "multi_label: true", "one label per document", fix)
        elif trainer.thresholds != DEFAULT_THRESHOLD:
            found = "one label per document, which is always the most likely one"
            fix = "remove thresholds, or set corpus.multi_label: true"
            yield Problem(("trainer", "thresholds"), "thresholds needs corpus.multi_label.", found, fix=fix)

    def _gate_problems(self) -> Iterator[Problem]:
        corpus = self.corpus
        if "auc" in self.gates and corpus.labels is None and not corpus.multi_label:
            expected, fix = "the classes, one AUC for each", "list the classes under corpus.labels"
            yield Problem(("gates", "auc"), "A gate on auc needs corpus.labels.", "no corpus.labels", expected, fix)
        for metric, gate in self.gates.items():
            if gate.slices and not corpus.source:
                expected = "source: the column or key of a document's origin"
                what = "Thresholds by source need corpus.source."
                yield Problem(("gates", metric, "slices"), what, "no corpus.source", expected)
