"""CorpusExampleGen as its own pipeline under the real launcher of TFX, with ML Metadata in SQLite."""

import dataclasses
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx.components import StatisticsGen
from tfx.orchestration.pipeline import Pipeline

from components.corpus_example_gen.component import CorpusExampleGen
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from pipeline.config.locations import resolve_corpus_path
from pipeline.dag.lineage import Execution, read_run, sqlite
from pipeline.runners.local import NodeRunner
from pipeline.runners.local_beam import LOCAL_BEAM
from pipeline.runs.state import ComponentState
from trainer.settings import OutputSettings


def documents(prefix: str, count: int) -> list[dict[str, Any]]:
    """Records with distinct texts; 60 are enough for documents in every split."""
    return [{"text": f"{prefix} {number}"} for number in range(count)]


class States(dict[str, str]):
    """The last state of each component that a runner reports."""

    def started(self, component: str) -> None:
        self[component] = "running"

    def ended(self, component: str, state: ComponentState) -> None:
        self[component] = state.value


def store(folder: Path) -> metadata_store.MetadataStore:
    """The metadata of the runs in a folder."""
    return metadata_store.MetadataStore(sqlite(str(folder / "metadata.sqlite")))


def run_components(folder: Path, components: list[Any]) -> dict[str, Execution]:
    """Runs components as a pipeline with the cache, the metadata and the artifacts in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    run_id = uuid.uuid4().hex
    connection = sqlite(str(folder / "metadata.sqlite"))
    pipeline = Pipeline(
        pipeline_name="tested",
        pipeline_root=str(folder / "root"),
        components=components,
        enable_cache=True,
        metadata_connection_config=connection,
        beam_pipeline_args=list(LOCAL_BEAM),
    )
    NodeRunner(run_id, States()).run(pipeline)
    return read_run(connection, "tested", run_id)


@dataclasses.dataclass
class CorpusJob:
    """Runs in one folder with `corpus`, `quarantine`, the metadata and the artifacts."""

    folder: Path
    splits: Mapping[str, int] = dataclasses.field(default_factory=lambda: {"train": 8, "eval": 1, "test": 1})
    output: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    statistics: bool = False

    @property
    def corpus(self) -> Path:
        return self.folder / "corpus"

    def write(self, name: str, records: list[dict[str, Any]]) -> Path:
        """Writes records as JSON lines below the corpus."""
        path = self.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return path

    def run(self, path: str | list[str] | dict[str, Any], code: str = "1", **settings: Any) -> None:
        """Runs the pipeline, by default on JSON lines."""
        component = CorpusExampleGen(
            corpus=resolve_corpus_path(path, self.corpus),
            settings=CorpusSettings.model_validate({"format": "jsonl", "path": path, **settings}),
            splits=SplitSettings.model_validate(dict(self.splits)),
            output=OutputSettings.model_validate(dict(self.output)),
            code=code,
            quarantine_dir=str(self.folder / "quarantine"),
            inputs_dir=str(self.folder / "inputs"),
        )
        components = [component]
        if self.statistics:
            components.append(StatisticsGen(examples=component.outputs["examples"]))
        run_components(self.folder, components)

    def states(self) -> list[str]:
        """States of all executions, in order."""
        executions = sorted(self._store().get_executions(), key=lambda execution: execution.id)
        return [metadata_store_pb2.Execution.State.Name(execution.last_known_state) for execution in executions]

    def artifact(self, type_name: str = "Examples") -> Any:
        """The newest artifact of a type that is live."""
        artifacts = self._store().get_artifacts_by_type(type_name)
        live = [artifact for artifact in artifacts if artifact.state == metadata_store_pb2.Artifact.LIVE]
        return max(live, key=lambda artifact: artifact.id)

    def files(self, split: str) -> list[Path]:
        """The shards of the newest artifact."""
        return sorted(Path(self.artifact().uri, f"Split-{split}").iterdir())

    def examples(self, split: str) -> list[tf.train.SequenceExample]:
        """The records of a split of the newest artifact, in order."""
        return read_records(Path(self.artifact().uri, f"Split-{split}"))

    def read(self, split: str) -> list[tuple[str, str]]:
        """The ids and texts of a split of the newest artifact, in order."""
        return [(context(example, "id"), text(example)) for example in self.examples(split)]

    def texts(self, *splits: str) -> list[str]:
        """The texts of some or all splits of the newest artifact, sorted."""
        return sorted(text for split in splits or self.splits for _, text in self.read(split))

    def quarantined(self) -> list[dict[str, Any]]:
        """The bad records of the newest artifact."""
        path = self.folder / "quarantine" / Path(self.artifact().uri).name / "records.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def counts(self) -> dict[str, Any]:
        """The counts on the newest artifact."""
        properties = self.artifact().custom_properties
        numbers = ("records_read", "records_quarantined", "duplicates_removed")
        objects = ("split_documents", "split_duplicates", "quarantine_reasons")
        return {name: properties[name].int_value for name in numbers} | {
            name: json.loads(properties[name].string_value) for name in objects
        }

    def _store(self) -> Any:
        return store(self.folder)


def read_records(folder: Path) -> list[tf.train.SequenceExample]:
    """The records of all files in a folder, in order."""
    return [
        tf.train.SequenceExample.FromString(record)
        for file in sorted(folder.iterdir())
        for record in tf.data.TFRecordDataset(str(file), "GZIP" if file.suffix == ".gz" else "").as_numpy_iterator()
    ]


def context(example: tf.train.SequenceExample, name: str) -> Any:
    """The value of a context feature; bytes are decoded."""
    feature = example.context.feature[name]
    (value,) = getattr(feature, feature.WhichOneof("kind")).value
    return value.decode() if isinstance(value, bytes) else value


def steps(example: tf.train.SequenceExample, name: str) -> list[Any]:
    """The values of a feature list of one value per step; bytes are decoded."""
    features = example.feature_lists.feature_list[name].feature
    values = [getattr(feature, feature.WhichOneof("kind")).value[0] for feature in features]
    return [value.decode() if isinstance(value, bytes) else value for value in values]


def text(example: tf.train.SequenceExample) -> str:
    """The text of a document with one segment."""
    (segment,) = steps(example, "text")
    return segment
