"""What a run's record says of each component: one typed section per component."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Values = dict[str, Any]
"""Hyperparameters by the key of the job's YAML: {"trainer.units": 64}."""


class Section(BaseModel):
    """A part of a record.

    Fields that this version does not know are kept, fields that an earlier version did not write have a default, and
    only the fields that were given are written.
    """

    model_config = ConfigDict(frozen=True, extra="allow", ser_json_inf_nan="constants")

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name in self.model_fields_set}


class CorpusDetails(Section):
    """CorpusExampleGen: what was read.

    Attributes:
        records: Records read.
        quarantined: Records that could not be read.
        reasons: Quarantined records by reason.
        documents: Documents written, by split.
        duplicates: Documents left out because their text is kept elsewhere, by the split that they would be in.
    """

    records: int = 0
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
    """The vocabulary.

    Attributes:
        words: Words in the vocabulary.
        train_types: Distinct words in the train split.
    """

    words: int = 0
    train_types: int = 0


class TransformDetails(Section):
    """SequenceTransform: its `summary.json`; besides the vocabulary it has one further field per split."""

    vocabulary: VocabularyDetails = VocabularyDetails()


class CoverageDetails(Section):
    """EvaluationSets: how much of one evaluation set the vocabulary covers.

    Attributes:
        asked: Questions in the set.
        known: Questions all of whose words are in the vocabulary.
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
        epochs: Epochs trained.
        best_epoch: The epoch whose weights were kept.
        best_eval_loss: The loss on the eval split after that epoch.
        resumed_after_epoch: Epochs that an interrupted run had finished before.
        device: Where it was computed.
        history: Figures by epoch.
    """

    epochs: int = 0
    best_epoch: int | None = None
    best_eval_loss: float | None = None
    resumed_after_epoch: int = 0
    device: str = ""
    history: tuple[dict[str, Any], ...] = ()


class HyperparameterDetails(Section):
    """BestHyperparameters: what the Trainer took from an earlier search.

    Attributes:
        values: The values.
        path: The artifact that they come from.
    """

    values: Values = Field(default_factory=dict)
    path: str = ""


class LearningDetails(Section):
    """LearningCheck: losses of the untrained and of the overfitted model, in nats.

    Attributes:
        chance_loss: The loss of a uniform guess.
        start_loss: The loss before training.
        overfitted_loss: The loss after training on the same two batches.
        steps: Training steps taken.
    """

    chance_loss: float
    start_loss: float
    overfitted_loss: float
    steps: int


class TrialDetails(Section):
    """One trial of a search; its score is a further field, named like the objective.

    Attributes:
        trial: Its number, from 1.
        values: Its hyperparameters.
    """

    trial: int
    values: Values = Field(default_factory=dict)


class TuningDetails(Section):
    """Tuner: the search.

    Attributes:
        objective: The name of the score.
        trials: The finished trials, best first.
        path: The artifact with the best hyperparameters.
    """

    objective: str
    trials: tuple[TrialDetails, ...] = ()
    path: str = ""

    def score(self, trial: TrialDetails) -> float:
        """The score of one of its trials."""
        return float((trial.model_extra or {})[self.objective])


class Details(Section):
    """The sections of a record; a component that did not run has none.

    Attributes:
        corpus: CorpusExampleGen.
        anomalies: ExampleValidator.
        transform: SequenceTransform.
        coverage: EvaluationSets, by set.
        training: Trainer.
        tensorboard: The directory of the Trainer's TensorBoard events.
        hyperparameters: BestHyperparameters.
        learning_check: LearningCheck.
        tuning: Tuner.
    """

    corpus: CorpusDetails | None = None
    anomalies: tuple[AnomalyDetails, ...] | None = None
    transform: TransformDetails | None = None
    coverage: dict[str, CoverageDetails] | None = None
    training: TrainingDetails | None = None
    tensorboard: str | None = None
    hyperparameters: HyperparameterDetails | None = None
    learning_check: LearningDetails | None = None
    tuning: TuningDetails | None = None
