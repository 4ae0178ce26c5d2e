"""Builds the TFX node of each component and connects their channels.

Names are imported from the modules that define them: `tfx.v1` imports Google Cloud's client, which is slow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs
from tfx.types import BaseChannel, Channel, standard_artifacts

from components.corpus_example_gen.component import CorpusExampleGen
from components.corpus_validator.component import CorpusValidator
from components.corpus_validator.previous import PreviousStatistics
from components.evaluation_sets.component import EvaluationSets
from components.evaluator.baseline import LastBlessedOther
from components.evaluator.component import LinearGatedEvaluator
from components.learning_check.component import LearningCheck
from components.linear_baseline.component import LinearBaseline
from components.pusher.component import Publisher
from components.sequence_transform.component import SequenceTransform
from components.stock.component import Evaluator, ImportSchemaGen, StatisticsGen, Trainer, Tuner
from components.warm_start.base_model import LastBlessedBefore
from pipeline.config.job import Job
from pipeline.dag import gates
from pipeline.dag.layout import Layout
from pipeline.dag.sources import Sources
from pipeline.tasks.registry import task_of
from pipeline.tasks.supervised_job import BEST_HYPERPARAMETERS
from pipeline.tasks.task import WARM_START
from trainer.errors import JobError


class Nodes:
    """Builds the nodes of a job's components, each from the earlier ones.

    Args:
        job: The job, with the paths of the copies of its files.
        layout: The files and folders below the root.
        sources: The pipeline's external inputs.
        code: Digest of the code by component.
        run_id: The run's id.
    """

    def __init__(self, job: Job, layout: Layout, sources: Sources, code: Mapping[str, str], run_id: str) -> None:
        self._job, self._layout, self._sources, self._code, self._run_id = job, layout, sources, code, run_id
        self._task = task_of(job)
        self.nodes: dict[str, BaseNode] = {}
        self._builders: dict[str, Callable[[], BaseNode]] = {
            "CorpusExampleGen": self._example_gen,
            "StatisticsGen": lambda: StatisticsGen(
                examples=self._output("CorpusExampleGen", "examples"), code=self._code["StatisticsGen"]
            ),
            "SchemaGen": lambda: ImportSchemaGen(schema_file=sources.schema),
            "PreviousStatistics": self._previous_statistics,
            "ExampleValidator": self._validator,
            "SequenceTransform": self._transform,
            "EvaluationSets": self._evaluation_sets,
            "LinearBaseline": self._linear_baseline,
            BEST_HYPERPARAMETERS: self._best_hyperparameters,
            WARM_START: self._warm_start,
            "Trainer": self._trainer,
            "Tuner": self._tuner,
            "LearningCheck": lambda: LearningCheck(**self._transformed(), **self._training_parameters("LearningCheck")),
            "Baseline": self._baseline,
            "Evaluator": self._evaluator,
            "Pusher": self._pusher,
        }

    def build(self, component: str) -> None:
        """Builds the node of a component."""
        self.nodes[component] = self._builders[component]().with_id(component)

    def _output(self, component: str, name: str) -> BaseChannel:
        return self.nodes[component].outputs[name]

    def _example_gen(self) -> BaseNode:
        return CorpusExampleGen(
            corpus=self._sources.corpus,
            settings=self._job.corpus,
            splits=self._job.splits,
            output=self._job.output,
            code=self._code["CorpusExampleGen"],
            quarantine_dir=self._layout.quarantine,
            inputs_dir=self._layout.inputs,
        )

    def _previous_statistics(self) -> BaseNode:
        return Resolver(
            strategy_class=PreviousStatistics,
            current=self._output("StatisticsGen", "statistics"),
            statistics=Channel(type=standard_artifacts.ExampleStatistics),
        )

    def _validator(self) -> BaseNode:
        return CorpusValidator(
            examples=self._output("CorpusExampleGen", "examples"),
            statistics=self._output("StatisticsGen", "statistics"),
            schema=self._output("SchemaGen", "schema"),
            previous_statistics=self._output("PreviousStatistics", "statistics"),
            settings=self._job.validation,
            serving_logs=self._sources.serving_logs,
            code=self._code["ExampleValidator"],
        )

    def _transform(self) -> BaseNode:
        return SequenceTransform(
            examples=self._output("CorpusExampleGen", "examples"),
            schema=self._output("SchemaGen", "schema"),
            settings=self._job.transform,
            output=self._job.output,
            kind=self._job.corpus.kind,
            labels=json.dumps(self._job.corpus.class_names or []),
            learned=self._task.learns(self._job),
            counts_dir=self._layout.counts if (self._job.corpus.rolling or 1) > 1 else "",
            code=self._code["SequenceTransform"],
        )

    def _evaluation_sets(self) -> BaseNode:
        return EvaluationSets(
            self._output("CorpusExampleGen", "examples"),
            self._output("SequenceTransform", "transform_graph"),
            self._task.evaluation(self._job),
            self._code["EvaluationSets"],
        )

    def _linear_baseline(self) -> BaseNode:
        metrics = self._task.metrics(self._job)
        return LinearBaseline(
            examples=self._output("CorpusExampleGen", "examples"),
            kind=self._job.corpus.kind,
            classes=self._job.corpus.class_names or (),
            figures={name: metric.figure for name, metric in metrics.items() if metric.linear},
            code=self._code["LinearBaseline"],
        )

    def _best_hyperparameters(self) -> BaseNode:
        return Resolver(
            strategy_class=LatestArtifactStrategy, hyperparameters=Channel(type=standard_artifacts.HyperParameters)
        )

    def _warm_start(self) -> BaseNode:
        return Resolver(
            strategy_class=LastBlessedBefore,
            config={"withdrawn": list(self._sources.withdrawn)},
            examples=self._output("SequenceTransform", "transformed_examples"),
            model=Channel(type=standard_artifacts.Model),
            model_blessing=Channel(type=standard_artifacts.ModelBlessing),
        )

    def _transformed(self) -> dict[str, Any]:
        """Returns the input channels of the components that train."""
        return {
            "examples": self._output("SequenceTransform", "transformed_examples"),
            "transform_graph": self._output("SequenceTransform", "transform_graph"),
        }

    def _training_parameters(self, component: str) -> dict[str, str]:
        """Returns the parameters of the components that train."""
        return {
            "training": self._task.training(self._job),
            "settings": self._job.trainer.model_dump_json(),
            "code": self._code[component],
        }

    def _trainer(self) -> BaseNode:
        best, base = self.nodes.get(BEST_HYPERPARAMETERS), self.nodes.get(WARM_START)
        return Trainer(
            run_fn="trainer.jobs.entry_point.run_fn",
            **self._transformed(),
            hyperparameters=best.outputs["hyperparameters"] if best else None,
            base_model=base.outputs["model"] if base else None,
            train_args=TrainArgs(splits=["train"]),
            eval_args=EvalArgs(splits=["eval"]),
            custom_config={**self._training_parameters("Trainer"), "checkpoints": self._layout.checkpoints},
        )

    def _tuner(self) -> BaseNode:
        tune = self._task.search(self._job)
        if tune is None:
            raise JobError("The job has no search space.", where="tune", expected="a tune section with a space")
        return Tuner(
            tuner_fn="trainer.tuning.tuner.tuner_fn",
            **self._transformed(),
            train_args=TrainArgs(splits=["train"]),
            eval_args=EvalArgs(splits=["eval"]),
            custom_config={
                **self._training_parameters("Tuner"),
                "tune": tune.model_dump_json(exclude={"use"}, exclude_unset=True),
                "directory": self._layout.tuning,
            },
        )

    def _baseline(self) -> BaseNode:
        return Resolver(
            strategy_class=LastBlessedOther,
            config={"withdrawn": list(self._sources.withdrawn)},
            candidate=self._output("Trainer", "model"),
            model=Channel(type=standard_artifacts.Model),
            model_blessing=Channel(type=standard_artifacts.ModelBlessing),
        )

    def _evaluator(self) -> BaseNode:
        evaluation: dict[str, Any] = {
            "examples": self._output(*self._task.evaluated),
            "example_splits": ["test"],
            "model": self._output("Trainer", "model"),
            "baseline_model": self._output("Baseline", "model"),
            "eval_config": gates.eval_config(self._job, self._code["Evaluator"]),
        }
        margins = gates.linear_margins(self._job)
        if not margins:
            return Evaluator(**evaluation)
        linear = self._output("LinearBaseline", "evaluation")
        return LinearGatedEvaluator(**evaluation, linear_baseline=linear, margins=margins)

    def _pusher(self) -> BaseNode:
        return Publisher(
            examples=self._output("CorpusExampleGen", "examples"),
            model=self._output("Trainer", "model"),
            model_blessing=self._output("Evaluator", "blessing"),
            directory=self._layout.serving,
            keep=self._job.serving.keep,
            inputs_dir=self._layout.inputs,
            code=self._code["Trainer"],
            run=self._run_id,
        )
