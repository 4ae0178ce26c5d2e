"""The pipeline as TFX components: what runs, and what feeds what."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode
from tfx.types import BaseChannel

from components.baseline import LastBlessedOther
from components.corpus_example_gen.component import CorpusExampleGen
from components.corpus_validator.component import CorpusValidator
from components.corpus_validator.previous import PreviousStatistics
from components.evaluation_sets.component import EvaluationSets
from components.pusher.component import Publisher
from components.sequence_transform.component import SequenceTransform
from pipeline import gates
from pipeline.config import RunConfig, Word2vecConfig
from pipeline.locations import Corpus

CODE = {
    "CorpusExampleGen": "components.corpus_example_gen.executor",
    "ExampleValidator": "components.corpus_validator.executor",
    "SequenceTransform": "components.sequence_transform.executor",
    "EvaluationSets": "components.evaluation_sets.executor",
    "Trainer": "trainer.run",
    "Evaluator": "components.embedding_metrics",
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


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where a run keeps what.

    Attributes:
        root: The root of the runs of a job.
    """

    root: PurePath

    @property
    def artifacts(self) -> str:
        """TFX's pipeline root."""
        return str(self.root / "artifacts")

    @property
    def metadata(self) -> str:
        """The SQLite file of ML Metadata."""
        return str(self.root / "metadata.sqlite")

    @property
    def quarantine(self) -> str:
        """Bad records."""
        return str(self.root / "quarantine")

    @property
    def checkpoints(self) -> str:
        """States of unfinished training."""
        return str(self.root / "checkpoints")

    @property
    def serving(self) -> str:
        """Published versions."""
        return str(self.root / "serving")


def create_pipeline(
    config: RunConfig,
    layout: Layout,
    *,
    corpus: Corpus,
    schema: str,
    code: Mapping[str, str],
    run_id: str,
    serving_logs: tuple[str, str] = ("", ""),
    until: str | None = None,
    use_cache: bool = True,
) -> tfx.dsl.Pipeline:
    """Builds the pipeline of a job; reads nothing but its arguments.

    Args:
        config: The job.
        layout: Where the run keeps what.
        corpus: Folder of the corpus and the pattern of its files, or one for each split.
        schema: File of the corpus' schema, named by its content.
        code: Digest of the code by component, for every key of `CODE`.
        run_id: Names the run.
        serving_logs: The pattern of the files that serving logged, and a fingerprint of them; empty: none.
        until: The last component that is wanted, with all that it needs; None: all.
        use_cache: Take results of earlier runs from ML Metadata.
    """
    data = _data_components(config, layout, corpus, schema, serving_logs, code)
    model = _model_components(config, layout, data, code, run_id) if "Trainer" in config.components else []
    nodes = {node.id: node for node in [*data.values(), *model]}
    components = list(nodes.values()) if until is None else _needed(nodes, until)
    # TFX refuses a node before one that is not in the pipeline.
    for node in components:
        for earlier in _AFTER.get(node.id, ()):
            node.add_upstream_node(nodes[earlier])
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=layout.artifacts,
        components=components,
        enable_cache=use_cache,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(layout.metadata),
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
    schema_gen = tfx.components.ImportSchemaGen(schema_file=schema).with_id("SchemaGen")
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
    statistics_gen = tfx.components.StatisticsGen(examples=examples)
    statistics = statistics_gen.outputs["statistics"]
    previous = tfx.dsl.Resolver(
        strategy_class=PreviousStatistics,
        current=statistics,
        statistics=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ExampleStatistics),
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
    trainer = _trainer(config, layout, data["SequenceTransform"], code["Trainer"])
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
    return [*sets, trainer, baseline, evaluator, publisher]


def _trainer(config: RunConfig, layout: Layout, transform: BaseNode, code: str) -> BaseNode:
    return tfx.components.Trainer(
        run_fn="trainer.run.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config={
            "task": config.task,
            "settings": config.trainer.model_dump_json(),
            "checkpoints": layout.checkpoints,
            "code": code,
        },
    )


def _judges(config: RunConfig, examples: BaseChannel, trainer: BaseNode, code: str) -> tuple[BaseNode, BaseNode]:
    baseline = tfx.dsl.Resolver(
        strategy_class=LastBlessedOther,
        candidate=trainer.outputs["model"],
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("Baseline")
    evaluator = tfx.components.Evaluator(
        examples=examples,
        example_splits=["test"],
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        eval_config=gates.eval_config(config, code),
    )
    return baseline, evaluator
