"""The pipeline as TFX components: what runs, and what feeds what.

Names come from where TFX defines them: `tfx.v1` imports Google Cloud's client, a third of the start of a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tfx.components import Evaluator, StatisticsGen, Trainer, Tuner
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs
from tfx.types import BaseChannel, Channel, standard_artifacts

from components.corpus_example_gen.component import CorpusExampleGen
from components.corpus_validator.component import CorpusValidator
from components.corpus_validator.previous import PreviousStatistics
from components.evaluation_sets.component import EvaluationSets
from components.evaluator.baseline import LastBlessedOther
from components.learning_check.component import LearningCheck
from components.pusher.component import Publisher
from components.sequence_transform.component import SequenceTransform
from pipeline.config.job import BEST_HYPERPARAMETERS, Goal, RunConfig, SupervisedConfig, Word2vecConfig
from pipeline.config.locations import Corpus
from pipeline.dag import gates
from pipeline.runs.layout import Layout
from trainer.errors import JobError

CODE = {
    "CorpusExampleGen": "components.corpus_example_gen.executor",
    "ExampleValidator": "components.corpus_validator.executor",
    "SequenceTransform": "components.sequence_transform.executor",
    "EvaluationSets": "components.evaluation_sets.executor",
    "Trainer": "trainer.jobs.run",
    "Evaluator": "components.evaluator.metrics",
    "LearningCheck": "components.learning_check.executor",
    "Tuner": "trainer.tuning.tuner",
}
"""The module behind each component of this project whose edits must not be served from cache."""

_AFTER = {"SequenceTransform": ("ExampleValidator",)}
"""What a component waits for without a channel: lowering an anomaly must not make transform and training anew."""

_LOCAL_BEAM = (
    # DirectRunner would first try to download another runner, and several threads lose records.
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    # Without it TFX packs itself into an archive for remote workers, in every component.
    "--sdk_container_image=none",
)


def create_pipeline(
    config: RunConfig,
    layout: Layout,
    *,
    corpus: Corpus,
    schema: str,
    code: Mapping[str, str],
    run_id: str,
    serving_logs: tuple[str, str] = ("", ""),
    goal: Goal = "publish",
    until: str | None = None,
    use_cache: bool = True,
) -> Pipeline:
    """Builds the pipeline of a job; reads nothing but its arguments.

    Args:
        config: The job.
        layout: Where the run keeps what.
        corpus: Folder of the corpus and the pattern of its files, or one for each split.
        schema: File of the corpus' schema, named by its content.
        code: Digest of the code by component, for every key of `CODE`.
        run_id: Names the run.
        serving_logs: The pattern of the files that serving logged, and a fingerprint of them; empty: none.
        goal: What the components after the data's are for.
        until: The last component that is wanted, with all that it needs; None: all.
        use_cache: Take results of earlier runs from ML Metadata.
    """
    data = _data_components(config, layout, corpus, schema, serving_logs, code)
    wanted, more = config.components_for(goal), list[BaseNode]()
    if "Trainer" in wanted:
        more = _model_components(config, layout, data, code, run_id)
    elif "Tuner" in wanted:
        more = [_tuner(config, layout, data["SequenceTransform"], code["Tuner"])]
    elif "LearningCheck" in wanted:
        more = [_learning_check(config, data["SequenceTransform"], code["LearningCheck"])]
    nodes = {node.id: node for node in [*data.values(), *more]}
    components = list(nodes.values()) if until is None else _needed(nodes, until)
    # TFX refuses a node before one that is not in the pipeline.
    for node in components:
        for earlier in _AFTER.get(node.id, ()):
            node.add_upstream_node(nodes[earlier])
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=layout.artifacts,
        components=components,
        enable_cache=use_cache,
        metadata_connection_config=sqlite_metadata_connection_config(layout.metadata),
        beam_pipeline_args=beam_args(config.beam.options),
    )


def beam_args(options: Sequence[str] = ()) -> list[str]:
    """Returns the flags of Beam on this machine, and more."""
    return [*_LOCAL_BEAM, *options]


def _needed(nodes: Mapping[str, BaseNode], until: str) -> list[BaseNode]:
    wanted, waiting = set(), [until]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += [node for channel in nodes[name].inputs.values() for node in channel.get_data_dependent_node_ids()]
        waiting += _AFTER.get(name, ())
    return [node for name, node in nodes.items() if name in wanted]


def _data_components(
    config: RunConfig,
    layout: Layout,
    corpus: Corpus,
    schema: str,
    serving_logs: tuple[str, str],
    code: Mapping[str, str],
) -> dict[str, BaseNode]:
    base, pattern = corpus
    example_gen = CorpusExampleGen(
        input_base=base,
        pattern=pattern,
        settings=config.corpus,
        splits=config.splits,
        output=config.output,
        code=code["CorpusExampleGen"],
        quarantine_dir=layout.quarantine,
    )
    examples = example_gen.outputs["examples"]
    schema_gen = ImportSchemaGen(schema_file=schema).with_id("SchemaGen")
    validation = _validation(config, example_gen, schema_gen, serving_logs, code["ExampleValidator"])
    transform = SequenceTransform(
        examples=examples,
        schema=schema_gen.outputs["schema"],
        settings=config.transform,
        output=config.output,
        kind=config.corpus.kind,
        labels=json.dumps(config.corpus.class_names or []),
        code=code["SequenceTransform"],
    )
    return {node.id: node for node in (example_gen, schema_gen, *validation, transform)}


def _validation(
    config: RunConfig, example_gen: BaseNode, schema_gen: BaseNode, serving_logs: tuple[str, str], code: str
) -> list[BaseNode]:
    examples = example_gen.outputs["examples"]
    statistics_gen = StatisticsGen(examples=examples)
    statistics = statistics_gen.outputs["statistics"]
    previous = Resolver(
        strategy_class=PreviousStatistics,
        current=statistics,
        statistics=Channel(type=standard_artifacts.ExampleStatistics),
    ).with_id("PreviousStatistics")
    validator = CorpusValidator(
        examples=examples,
        statistics=statistics,
        schema=schema_gen.outputs["schema"],
        previous_statistics=previous.outputs["statistics"],
        settings=config.validation,
        serving_logs=serving_logs,
        code=code,
    ).with_id("ExampleValidator")
    return [statistics_gen, previous, validator]


def _model_components(
    config: RunConfig, layout: Layout, data: Mapping[str, BaseNode], code: Mapping[str, str], run_id: str
) -> list[BaseNode]:
    tuned: list[BaseNode] = [_best_hyperparameters()] if BEST_HYPERPARAMETERS in config.components else []
    trainer = _trainer(config, layout, data["SequenceTransform"], tuned, code["Trainer"])
    examples = data["CorpusExampleGen"].outputs["examples"]
    sets: list[BaseNode] = []
    if isinstance(config, Word2vecConfig):
        graph = data["SequenceTransform"].outputs["transform_graph"]
        sets = [EvaluationSets(examples, graph, config.evaluation, code["EvaluationSets"])]
        examples = sets[0].outputs["evaluation_examples"]
    baseline, evaluator = _judges(config, examples, trainer, code["Evaluator"])
    publisher = Publisher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        directory=layout.serving,
        keep=config.serving.keep,
        run=run_id,
    ).with_id("Pusher")
    return [*sets, *tuned, trainer, baseline, evaluator, publisher]


def _best_hyperparameters() -> BaseNode:
    """Those that were found last at this root."""
    return Resolver(
        strategy_class=LatestArtifactStrategy,
        hyperparameters=Channel(type=standard_artifacts.HyperParameters),
    ).with_id(BEST_HYPERPARAMETERS)


def _trainer(config: RunConfig, layout: Layout, transform: BaseNode, tuned: list[BaseNode], code: str) -> BaseNode:
    return Trainer(
        run_fn="trainer.jobs.run.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        hyperparameters=tuned[0].outputs["hyperparameters"] if tuned else None,
        train_args=TrainArgs(splits=["train"]),
        eval_args=EvalArgs(splits=["eval"]),
        custom_config={
            "task": config.trained_task,
            "settings": config.trainer.model_dump_json(),
            "checkpoints": layout.checkpoints,
            "code": code,
        },
    )


def _tuner(config: RunConfig, layout: Layout, transform: BaseNode, code: str) -> BaseNode:
    if not isinstance(config, SupervisedConfig) or config.tune is None:
        raise JobError("The job has no search space.", where="tune", expected="a section tune with a space")
    return Tuner(
        tuner_fn="trainer.tuning.tuner.tuner_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        train_args=TrainArgs(splits=["train"]),
        eval_args=EvalArgs(splits=["eval"]),
        custom_config={
            "task": config.trained_task,
            "settings": config.trainer.model_dump_json(),
            "tune": config.tune.model_dump_json(exclude={"use"}, exclude_unset=True),
            "directory": layout.tuning,
            "code": code,
        },
    )


def _learning_check(config: RunConfig, transform: BaseNode, code: str) -> BaseNode:
    return LearningCheck(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        task=config.trained_task,
        settings=config.trainer.model_dump_json(),
        code=code,
    )


def _judges(config: RunConfig, examples: BaseChannel, trainer: BaseNode, code: str) -> tuple[BaseNode, BaseNode]:
    baseline = Resolver(
        strategy_class=LastBlessedOther,
        candidate=trainer.outputs["model"],
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("Baseline")
    evaluator = Evaluator(
        examples=examples,
        example_splits=["test"],
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        eval_config=gates.eval_config(config, code),
    )
    return baseline, evaluator
