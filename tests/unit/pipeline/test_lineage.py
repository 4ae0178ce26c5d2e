"""The latest run in ML Metadata, from a store like those that TFX's runner writes."""

from pathlib import Path

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.dag import lineage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metadata.sqlite"


class Store:
    """A SQLite store with the types that TFX uses."""

    def __init__(self, path: Path) -> None:
        connection = mlmd.ConnectionConfig()
        connection.sqlite.filename_uri = str(path)
        connection.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        self.store = metadata_store.MetadataStore(connection)
        self.contexts = {n: self.store.put_context_type(mlmd.ContextType(name=n)) for n in ("pipeline_run", "node")}
        self.executed = self.store.put_execution_type(mlmd.ExecutionType(name="component"))
        self.examples = self.store.put_artifact_type(mlmd.ArtifactType(name="Examples"))

    def context(self, kind: str, name: str) -> mlmd.Context:
        found = self.store.get_context_by_type_and_name(kind, name)
        if found is not None:
            return found
        context = mlmd.Context(type_id=self.contexts[kind], name=name)
        context.id = self.store.put_contexts([context])[0]
        return context

    def artifact(self, uri: str, **properties: mlmd.Value) -> mlmd.Artifact:
        artifact = mlmd.Artifact(type_id=self.examples, uri=uri)
        for name, value in properties.items():
            artifact.custom_properties[name].CopyFrom(value)
        artifact.id = self.store.put_artifacts([artifact])[0]
        return artifact

    def execute(self, run: str, component: str, state: str, **artifacts: tuple[int, mlmd.Artifact]) -> None:
        execution = mlmd.Execution(type_id=self.executed, last_known_state=mlmd.Execution.State.Value(state))
        pairs = []
        for channel, (kind, artifact) in artifacts.items():
            event = mlmd.Event(type=kind)
            event.path.steps.add().key = channel
            event.path.steps.add().index = 0
            pairs.append((artifact, event))
        contexts = [self.context("node", f"job.with.dots.{component}"), self.context("pipeline_run", run)]
        self.store.put_execution(execution, pairs, contexts)


def test_the_latest_run_is_read_by_component(path: Path) -> None:
    store = Store(path)
    properties = {
        "documents": mlmd.Value(int_value=7),
        "split": mlmd.Value(string_value="train"),
        "fraction": mlmd.Value(double_value=0.5),
        "nested": mlmd.Value(),
    }
    properties["nested"].struct_value.update({"a": [1.0, "b"]})
    old = store.artifact("/examples/1")
    new = store.artifact("/examples/2", **properties)
    model = store.artifact("/model/3")
    store.execute("run-1", "Gen", "COMPLETE", examples=(mlmd.Event.OUTPUT, old))
    store.execute("run-2", "Gen", "CACHED", examples=(mlmd.Event.OUTPUT, new))
    store.execute("run-2", "Trainer", "COMPLETE", examples=(mlmd.Event.INPUT, new), model=(mlmd.Event.OUTPUT, model))

    expected = {"documents": 7, "split": "train", "fraction": 0.5, "nested": {"a": [1.0, "b"]}}
    examples = lineage.Output("/examples/2", expected)
    assert lineage.latest_run(str(path)) == {
        "Gen": lineage.Execution("CACHED", {}, {"examples": examples}),
        "Trainer": lineage.Execution("COMPLETE", {"examples": examples}, {"model": lineage.Output("/model/3", {})}),
    }


def test_retries_and_outputs_of_resolvers_count(path: Path) -> None:
    store = Store(path)
    store.execute("run-1", "Gen", "FAILED")
    store.execute("run-1", "Gen", "COMPLETE", examples=(mlmd.Event.OUTPUT, store.artifact("/examples/1")))
    store.execute("run-1", "Baseline", "COMPLETE", model=(mlmd.Event.INTERNAL_OUTPUT, store.artifact("/model/1")))
    found = lineage.latest_run(str(path))
    assert found["Gen"].state == "COMPLETE"
    assert found["Baseline"].outputs["model"].uri == "/model/1"


def test_only_live_artifacts_exist(path: Path) -> None:
    assert not lineage.has_artifact(str(path), "Examples")
    store = Store(path)
    artifact = store.artifact("a")
    assert not lineage.has_artifact(str(path), "Examples")
    artifact.state = mlmd.Artifact.LIVE
    store.store.put_artifacts([artifact])
    assert lineage.has_artifact(str(path), "Examples")
    assert not lineage.has_artifact(str(path), "HyperParameters")
