"""What is dead in a root with a real ML Metadata, and its deletion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.collection import collecting
from pipeline.collection.liveness import Policy
from pipeline.dag.layout import Layout
from pipeline.dag.lineage import sqlite
from pipeline.runs import record as history
from pipeline.runs.lock import RootLock
from trainer.errors import JobError

COMPLETE, CACHED, RUNNING = (mlmd.Execution.State.Value(name) for name in ("COMPLETE", "CACHED", "RUNNING"))


class Store:
    """The ML Metadata of a root, with the contexts, artifacts and events that TFX writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.layout = Layout(root)
        self.store = metadata_store.MetadataStore(sqlite(self.layout.metadata))
        self._contexts: dict[tuple[str, str], int] = {}

    def _context(self, kind: str, name: str) -> int:
        if (kind, name) not in self._contexts:
            type_id = self.store.put_context_type(mlmd.ContextType(name=kind))
            (self._contexts[kind, name],) = self.store.put_contexts([mlmd.Context(type_id=type_id, name=name)])
        return self._contexts[kind, name]

    def execution(
        self, run: str, component: str, *, inputs=(), cached=(), found=(), state: int = COMPLETE, outputs=()
    ) -> int:
        """Adds an execution; `outputs` are pairs of a type and custom properties. Returns its number."""
        name = "tfx.dsl.components.common.resolver.Resolver" if component == "Baseline" else component
        kind = self.store.put_execution_type(mlmd.ExecutionType(name=name))
        (number,) = self.store.put_executions([mlmd.Execution(type_id=kind, last_known_state=state)])
        contexts = [self._context("pipeline_run", run), self._context("node", f"tiny.{component}")]
        associations = [mlmd.Association(context_id=one, execution_id=number) for one in contexts]
        self.store.put_attributions_and_associations([], associations)
        made = [self._artifact(number, component, *output) for output in outputs]
        for artifact, event in (
            *((one, mlmd.Event.INPUT) for one in inputs),
            *((one, mlmd.Event.OUTPUT) for one in (*cached, *made)),
            *((one, mlmd.Event.INTERNAL_OUTPUT) for one in found),
        ):
            step = mlmd.Event.Path.Step(key="channel")
            path = mlmd.Event.Path(steps=[step])
            self.store.put_events([mlmd.Event(artifact_id=artifact, execution_id=number, type=event, path=path)])
        return number

    def made(self, number: int) -> list[int]:
        events = self.store.get_events_by_execution_ids([number])
        return [event.artifact_id for event in events if event.type == mlmd.Event.OUTPUT]

    def states(self) -> dict[int, str]:
        return {one.id: mlmd.Artifact.State.Name(one.state) for one in self.store.get_artifacts()}

    def _artifact(self, number: int, component: str, kind: str, properties: dict) -> int:
        folder = self.root / "artifacts" / component / kind.lower() / str(number)
        folder.mkdir(parents=True)
        (folder / "data").write_bytes(b"x" * 100)
        type_id = self.store.put_artifact_type(mlmd.ArtifactType(name=kind))
        artifact = mlmd.Artifact(type_id=type_id, uri=str(folder), state=mlmd.Artifact.LIVE)
        for name, value in properties.items():
            if isinstance(value, int):
                artifact.custom_properties[name].int_value = value
            else:
                artifact.custom_properties[name].string_value = value
        (number,) = self.store.put_artifacts([artifact])
        return number


def record(root: Path, number: int, state: str = "done", version: str | None = None) -> str:
    run = history.new_run(root, "tiny")
    pushed = None if version is None else {"version": version, "path": str(root / "serving" / version)}
    run = run.updated(run_id=f"run-{number}", state=state, pushed=pushed)
    history.write(root, run.updated(started=run.started.replace(year=2020 + number)))
    return run.run_id


def paths(items: list[collecting.Item]) -> set[str]:
    return {item.path for item in items}


@pytest.fixture
def nightly(tmp_path: Path) -> Store:
    """Four runs that each read other files, train and bless a model; the first one's version is served."""
    store = Store(tmp_path / "root")
    for number in range(1, 5):
        run = record(store.root, number, "pushed", str(number))
        gen = store.execution(run, "Gen", outputs=[("Examples", {"input_fingerprint": f"files-{number}"})])
        (examples,) = store.made(gen)
        stats = store.execution(run, "Stats", inputs=[examples], outputs=[("ExampleStatistics", {})])
        store.execution(run, "Validator", inputs=store.made(stats), outputs=[("ExampleAnomalies", {})])
        trainer = store.execution(run, "Trainer", inputs=[examples], outputs=[("Model", {}), ("ModelRun", {})])
        model = store.made(trainer)[0]
        blessing = ("ModelBlessing", {"blessed": 1, "current_model_id": model})
        evaluator = store.execution(run, "Evaluator", inputs=[model], outputs=[blessing])
        pushed = ("PushedModel", {"pushed": 1, "pushed_version": str(number)})
        store.execution(run, "Pusher", inputs=[model, *store.made(evaluator)], outputs=[pushed])
        (store.root / f"quarantine/{gen}").mkdir(parents=True)
        (store.root / f"quarantine/{gen}/records.jsonl").write_text("{}\n")
    for version in (1, 4):
        (store.root / f"serving/{version}").mkdir(parents=True)
        (store.root / f"serving/{version}/saved_model.pb").write_bytes(b"m")
    return store


EXECUTIONS = ("Gen", "Stats", "Validator", "Trainer", "Evaluator", "Pusher")


def number_of(run: int, component: str) -> int:
    return 6 * (run - 1) + EXECUTIONS.index(component) + 1


def test_what_the_last_run_the_versions_and_the_next_run_need_is_kept(nightly: Store) -> None:
    items = collecting.collect(nightly.root, Policy(1))
    dead = {
        # The first run's model is served, with its record; of the third, the next run may need model and statistics.
        *(f"Gen/examples/{number_of(run, 'Gen')}" for run in (1, 2, 3)),
        *(f"Stats/examplestatistics/{number_of(run, 'Stats')}" for run in (1, 2)),
        *(f"Validator/exampleanomalies/{number_of(run, 'Validator')}" for run in (1, 2)),
        *(f"Trainer/{channel}/{number_of(2, 'Trainer')}" for channel in ("model", "modelrun")),
        f"Evaluator/modelblessing/{number_of(2, 'Evaluator')}",
        *(f"Pusher/pushedmodel/{number_of(run, 'Pusher')}" for run in (2, 3)),
    }
    quarantined = {f"quarantine/{number_of(run, 'Gen')}" for run in (1, 2, 3)}
    assert paths(items) == {f"artifacts/{one}" for one in dead} | quarantined | {"logs/run-2", "logs/run-3"}
    assert all(item.size == 100 for item in items if item.kind == "artifact" and "artifacts" in item.path)
    assert collecting.collect(nightly.root, Policy(4)) == []


def test_results_are_marked_and_gone_and_nothing_else_is_touched(nightly: Store) -> None:
    before = {str(path.relative_to(nightly.root)) for path in nightly.root.rglob("*") if path.is_file()}
    items = collecting.collect(nightly.root, Policy(1))
    collecting.delete(nightly.root, items)
    after = {str(path.relative_to(nightly.root)) for path in nightly.root.rglob("*") if path.is_file()}
    assert before - after == {file for file in before if any(file.startswith(f"{one}/") for one in paths(items))}
    assert after <= before
    marked = {number for item in items for number in item.artifacts}
    states = nightly.states()
    assert {number for number, state in states.items() if state == "DELETED"} == marked
    assert {states[number] for number in states.keys() - marked} == {"LIVE"}
    assert collecting.collect(nightly.root, Policy(1)) == []


@pytest.mark.parametrize("after", [0, 1, 5])
def test_what_a_killed_deletion_left_goes_with_the_next_one(nightly: Store, after: int) -> None:
    items = collecting.collect(nightly.root, Policy(1))
    marked = [item._replace(path="logs/none") for item in items]
    # As if the process ended after the marks and some files.
    collecting.delete(nightly.root, [*marked, *items[:after]])
    half = nightly.root / items[after].path
    next(path for path in half.rglob("*") if path.is_file()).unlink()
    rest = collecting.collect(nightly.root, Policy(1))
    assert paths(rest) == paths(items[after:])
    collecting.delete(nightly.root, rest)
    assert collecting.collect(nightly.root, Policy(1)) == []


def test_a_result_from_the_cache_is_of_each_run_that_took_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    for number in (1, 2, 3):
        record(store.root, number)
    gen = store.execution("run-1", "Gen", outputs=[("Examples", {})])
    store.execution("run-2", "Gen", cached=store.made(gen), state=CACHED)
    other = store.execution("run-1", "Gen", outputs=[("Examples", {})])
    assert paths(collecting.collect(store.root, Policy(2))) == {f"artifacts/Gen/examples/{other}", "logs/run-1"}


def test_a_run_needs_what_its_resolvers_found_but_not_what_they_looked_at(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    models = []
    for number in (1, 2, 3):
        record(store.root, number)
        trainer = store.execution(f"run-{number}", "Trainer", outputs=[("Model", {})])
        models += store.made(trainer)
    store.execution("run-3", "Baseline", inputs=models, found=models[1:2])
    assert paths(collecting.collect(store.root, Policy(1))) == {"artifacts/Trainer/model/1", "logs/run-1", "logs/run-2"}


def test_copies_of_files_are_kept_for_what_was_made_with_them(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    for number in (1, 2):
        record(store.root, number)
        execution = store.execution(f"run-{number}", "SchemaGen", outputs=[("Schema", {})])
        (found,) = store.store.get_executions_by_id([execution])
        found.custom_properties["schema_file"].string_value = f"/moved/schema/text-{number}.pbtxt"
        store.store.put_executions([found])
        (store.root / "schema").mkdir(exist_ok=True)
        (store.root / f"schema/text-{number}.pbtxt").write_text("x")
    dead = paths(collecting.collect(store.root, Policy(1)))
    assert dead == {"artifacts/SchemaGen/schema/1", "logs/run-1", "schema/text-1.pbtxt"}


def test_leftovers_strays_and_checkpoints(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    record(store.root, 1)
    gen = store.execution("run-1", "Gen", outputs=[("Examples", {})])
    dead = store.execution("run-1", "Gen", state=RUNNING)
    kept = {f"artifacts/Gen/examples/{gen}/data", "logs/run-1/run.json", "metadata.sqlite"}
    left = {
        f"artifacts/Gen/examples/{dead}/part": f"artifacts/Gen/examples/{dead}",
        "artifacts/Gen/examples/99/data": "artifacts/Gen/examples/99",
        "artifacts/Gen/.system/a/b": "artifacts/Gen/.system",
        f"quarantine/{dead}/records.jsonl": f"quarantine/{dead}",
        "quarantine/99/records.jsonl": "quarantine/99",
        "serving/.7-" + "0123456789abcdef" * 2 + "/saved_model.pb": "serving/.7-" + "0123456789abcdef" * 2,
        "logs/killed/run.log": "logs/killed",
        "logs/run-1/.partial-7": "logs/run-1/.partial-7",
        "tmp/beam/x": "tmp",
        "checkpoints/key/model.index": "checkpoints/key",
        "tuning/key/trial": "tuning/key",
    }
    for name in left:
        (store.root / name).parent.mkdir(parents=True, exist_ok=True)
        (store.root / name).write_text("x")
    items = collecting.collect(store.root, Policy(3))
    assert sorted(item.path for item in items) == sorted(left.values())
    assert {item.artifacts for item in items} == {()}
    collecting.delete(store.root, items)
    assert {str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()} == kept


def test_old_versions_go_if_asked(nightly: Store) -> None:
    items = collecting.collect(nightly.root, Policy(1, 1))
    assert {item.path for item in items if item.kind == "version"} == {"serving/1"}
    assert "logs/run-1" in paths(items)
    collecting.delete(nightly.root, items)
    assert [path.name for path in (nightly.root / "serving").iterdir()] == ["4"]


def gc(root: Path, *options: str):
    return CliRunner().invoke(app, ["gc", str(root), *options])


def test_the_command_shows_and_only_deletes_if_told(nightly: Store) -> None:
    count = len(collecting.collect(nightly.root, Policy(2)))
    shown = gc(nightly.root, "--keep-runs", "2")
    assert shown.exit_code == 0, shown.output
    assert f"To delete: {count} files and folders" in shown.output
    assert "Nothing is deleted without --delete." in shown.output
    assert "older than the last 2 runs" in " ".join(shown.output.split())
    as_json = json.loads(gc(nightly.root, "--keep-runs", "2", "--json").output)
    assert (as_json["deleted"], len(as_json["items"])) == (False, count)
    assert as_json["bytes"] == sum(item["size"] for item in as_json["items"])
    assert set(nightly.states().values()) == {"LIVE"}
    assert f"Deleted: {count} files" in gc(nightly.root, "--keep-runs", "2", "--delete").output
    assert gc(nightly.root, "--keep-runs", "2").output == "To delete: 0 files and folders, 0.0 MB.\n"


def test_roots_that_are_in_use_or_no_roots_are_refused(nightly: Store, tmp_path: Path) -> None:
    with RootLock(nightly.root):
        refused = gc(nightly.root, "--delete")
    assert refused.exit_code == 75
    assert gc(tmp_path / "missing").exit_code == 2
    assert not (tmp_path / "missing").exists()
    (nightly.root / "metadata.sqlite").unlink()
    missing = gc(nightly.root, "--delete")
    assert missing.exit_code == 2
    assert (nightly.root / "artifacts/Gen").exists()
    assert not (nightly.root / "metadata.sqlite").exists()
    with pytest.raises(JobError, match="The root has no ML Metadata"):
        collecting.collect(nightly.root, Policy(1))
