"""The sections of a run's record, one per component."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Values = dict[str, Any]
"""Hyperparameters by their key in the job's YAML: {"trainer.units": 64}."""


class Section(BaseModel):
    """A part of a record.

    It keeps unknown fields, has defaults for fields that earlier versions did not write, and writes only set fields.
    """

    model_config = ConfigDict(frozen=True, extra="allow", ser_json_inf_nan="constants")

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name in self.model_fields_set}


class CorpusDetails(Section):
    """CorpusExampleGen: numbers of records read and quarantined, and of documents by split.

    Attributes:
        spanning_lines: Documents whose records span several lines of a file, in quotes.
        reasons: Quarantined records by reason.
        duplicates: Documents dropped as duplicates, by the split they would be in.
    """

    records: int = 0
    spanning_lines: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    documents: dict[str, int] = Field(default_factory=dict)
    duplicates: dict[str, int] = Field(default_factory=dict)


class AnomalyDetails(Section):
    """ExampleValidator: one anomaly, with the fields of `components.corpus_validator.anomalies.Anomaly`."""

    split: str
    feature: str
    kind: str
    what: str
    expected: str
    found: str
    ids: tuple[str, ...] = ()
    warning: bool = False


class VocabularyDetails(Section):
    """The number of words in the vocabulary, and of distinct words in the train split."""

    words: int = 0
    train_types: int = 0


class TransformDetails(Section):
    """SequenceTransform: its `summary.json`, which has one more field per split."""

    vocabulary: VocabularyDetails = VocabularyDetails()


class CoverageDetails(Section):
    """EvaluationSets: how much of one evaluation set the vocabulary covers.

    Attributes:
        asked: Questions in the set.
        known: Questions whose words are all in the vocabulary.
        share: The ratio of the two.
        gates: Whether it is high enough for gates to use the set.
    """

    asked: int = 0
    known: int = 0
    share: float
    gates: bool


class TrainingDetails(Section):
    """Trainer: its `training.json`; tasks add fields of their own.

    Attributes:
        best_epoch: The epoch whose weights were kept.
        best_eval_loss: The loss on the eval split after that epoch.
        resumed_after_epoch: Epochs that an interrupted run had already finished.
        history: Metrics by epoch.
    """

    epochs: int = 0
    best_epoch: int | None = None
    best_eval_loss: float | None = None
    resumed_after_epoch: int = 0
    device: str = ""
    history: tuple[dict[str, Any], ...] = ()


class HyperparameterDetails(Section):
    """BestHyperparameters: the values the Trainer took from an earlier search, and their artifact."""

    values: Values = Field(default_factory=dict)
    path: str = ""


class LearningDetails(Section):
    """LearningCheck: losses in nats.

    Attributes:
        chance_loss: The loss of a uniform guess.
        start_loss: The loss before training.
        overfitted_loss: The loss after `steps` training steps on the same two batches.
    """

    chance_loss: float
    start_loss: float
    overfitted_loss: float
    steps: int


class MostFrequentDetails(Section):
    """LinearBaseline: the train split's most frequent class, or set of labels, and its metrics on the test split."""

    labels: tuple[str, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)


class LinearDetails(Section):
    """LinearBaseline: the linear model.

    Attributes:
        documents: Documents it is fitted on.
        train_documents: Documents in the train split.
        strength: C, the inverse strength of its regularization, chosen on the eval split.
        terms: Its words and pairs of words.
        metrics: Its metrics on the test split; those without a value are left out.
    """

    documents: int = 0
    train_documents: int = 0
    strength: float = 1
    terms: int = 0
    metrics: dict[str, float] = Field(default_factory=dict)


class BaselineDetails(Section):
    """LinearBaseline: what simple models reach on the same splits."""

    most_frequent: MostFrequentDetails = MostFrequentDetails()
    linear: LinearDetails = LinearDetails()

    @property
    def by_row(self) -> dict[str, dict[str, float]]:
        """The metrics of the models by their name to people."""
        return {"linear model": self.linear.metrics, "most frequent class": self.most_frequent.metrics}


class SmallTestDetails(Section):
    """A test split of few documents: the 95 % interval (Wilson 1927) of a metric that is a share of them."""

    metric: str
    documents: int
    low: float
    high: float


class TrialDetails(Section):
    """One trial of a search, numbered from 1; its score is an additional field named like the objective."""

    trial: int
    values: Values = Field(default_factory=dict)


class TuningDetails(Section):
    """Tuner: the finished trials, best first, and the artifact with the best hyperparameters."""

    objective: str
    trials: tuple[TrialDetails, ...] = ()
    path: str = ""

    def score(self, trial: TrialDetails) -> float:
        """Returns a trial's score."""
        return float((trial.model_extra or {})[self.objective])


class Details(Section):
    """The sections of a record; those of components that did not run are None.

    Attributes:
        coverage: Coverage by evaluation set.
        tensorboard: The directory of the Trainer's TensorBoard events.
        undefined: One sentence per metric that has neither a value nor a gate.
        small_test: The uncertainty of metrics, if the test split is small.
    """

    corpus: CorpusDetails | None = None
    anomalies: tuple[AnomalyDetails, ...] | None = None
    transform: TransformDetails | None = None
    coverage: dict[str, CoverageDetails] | None = None
    training: TrainingDetails | None = None
    tensorboard: str | None = None
    undefined: tuple[str, ...] | None = None
    hyperparameters: HyperparameterDetails | None = None
    learning_check: LearningDetails | None = None
    tuning: TuningDetails | None = None
    baselines: BaselineDetails | None = None
    small_test: tuple[SmallTestDetails, ...] | None = None
