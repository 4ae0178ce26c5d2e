"""A run in ML Metadata, from a store like those that TFX's runner writes."""

from pathlib import Path

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.dag import lineage

CONTEXTS = ("pipeline", "pipeline_run", "node")


class Store:
    """A SQLite store with the types that TFX uses."""

    def __init__(self, folder: Path) -> None:
        self.connection = lineage.sqlite(str(folder / "metadata.sqlite"))
        self.store = metadata_store.MetadataStore(self.connection)
        self.contexts = {name: self.store.put_context_type(mlmd.ContextType(name=name)) for name in CONTEXTS}
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

    def execute(
        self, run: str, component: str, pipeline: str = "job.1", **artifacts: tuple[int, mlmd.Artifact]
    ) -> None:
        execution = mlmd.Execution(type_id=self.executed)
        pairs = []
        for channel, (kind, artifact) in artifacts.items():
            event = mlmd.Event(type=kind)
            event.path.steps.add().key = channel
            event.path.steps.add().index = 0
            pairs.append((artifact, event))
        names = (pipeline, run, f"{pipeline}.{component}")
        contexts = [self.context(kind, name) for kind, name in zip(CONTEXTS, names, strict=True)]
        self.store.put_execution(execution, pairs, contexts)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_exactly_the_run_of_a_pipeline_is_read_by_component(store: Store) -> None:
    properties = {
        "documents": mlmd.Value(int_value=7),
        "split": mlmd.Value(string_value="train"),
        "fraction": mlmd.Value(double_value=0.5),
        "nested": mlmd.Value(),
    }
    properties["nested"].struct_value.update({"a": [1.0, "b"]})
    old, other = store.artifact("/examples/1"), store.artifact("/examples/4")
    new = store.artifact("/examples/2", **properties)
    model = store.artifact("/model/3")
    store.execute("run-2", "Gen", examples=(mlmd.Event.OUTPUT, new))
    store.execute("run-2", "Trainer", examples=(mlmd.Event.INPUT, new), model=(mlmd.Event.OUTPUT, model))
    store.execute("run-2", "Gen", pipeline="job", examples=(mlmd.Event.OUTPUT, other))
    store.execute("run-1", "Gen", examples=(mlmd.Event.OUTPUT, old))

    expected = {"documents": 7, "split": "train", "fraction": 0.5, "nested": {"a": [1.0, "b"]}}
    examples = lineage.Output("/examples/2", expected)
    assert lineage.read_run(store.connection, "job.1", "run-2") == {
        "Gen": lineage.Execution({}, {"examples": examples}),
        "Trainer": lineage.Execution({"examples": examples}, {"model": lineage.Output("/model/3", {})}),
    }
    assert lineage.read_run(store.connection, "job.1", "run-1")["Gen"].outputs["examples"].uri == "/examples/1"


def test_retries_and_outputs_of_resolvers_count(store: Store) -> None:
    store.execute("run-1", "Gen")
    store.execute("run-1", "Gen", examples=(mlmd.Event.OUTPUT, store.artifact("/examples/1")))
    store.execute("run-1", "Baseline", model=(mlmd.Event.INTERNAL_OUTPUT, store.artifact("/model/1")))
    found = lineage.read_run(store.connection, "job.1", "run-1")
    assert {name: [one.uri for one in run.outputs.values()] for name, run in found.items()} == {
        "Gen": ["/examples/1"],
        "Baseline": ["/model/1"],
    }


def test_only_live_artifacts_of_the_pipeline_exist(store: Store) -> None:
    def exists(pipeline: str = "job.1", kind: str = "Examples") -> bool:
        return lineage.has_artifact(store.connection, pipeline, kind)

    assert not exists()
    artifact = store.artifact("a")
    store.execute("run-1", "Gen", examples=(mlmd.Event.OUTPUT, artifact))
    assert not exists()
    artifact.state = mlmd.Artifact.LIVE
    store.store.put_artifacts([artifact])
    assert exists()
    assert not exists(pipeline="job")
    assert not exists(kind="HyperParameters")


def test_a_moved_root_takes_its_artifacts_along(store: Store) -> None:
    paths = ("CorpusExampleGen/examples/1", "Trainer/model/7/sub", "artifacts/model/12")
    artifacts = [store.artifact(f"/old/artifacts/r/artifacts/{path}") for path in paths]
    outside, foreign = store.artifact("gs://bucket/model"), store.artifact("/old/artifacts/Trainer/model/3")
    made = {f"output {number}": (mlmd.Event.OUTPUT, one) for number, one in enumerate([*artifacts, outside])}
    store.execute("run-1", "Trainer", **made)
    store.execute("run-1", "Trainer", pipeline="job", model=(mlmd.Event.OUTPUT, foreign))
    inner, other = [artifact.id for artifact in artifacts], outside.id
    for root in ("/new [1]", "/old/artifacts/r"):
        lineage.relocate(store.connection, "job.1", f"{root}/artifacts")
        found = {artifact.id: artifact for artifact in store.store.get_artifacts()}
        assert [found[number].uri for number in inner] == [f"{root}/artifacts/{path}" for path in paths]
        assert found[other].uri == "gs://bucket/model"
        assert found[foreign.id].uri == "/old/artifacts/Trainer/model/3"
    before = found[inner[0]].last_update_time_since_epoch
    lineage.relocate(store.connection, "job.1", "/old/artifacts/r/artifacts")
    assert store.store.get_artifacts_by_id(inner[:1])[0].last_update_time_since_epoch == before
