"""ML Metadata on real MariaDB and PostgreSQL servers: initialization, faults, roots, copies."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.config.job import Job
from pipeline.config.metadata_settings import MetadataSettings
from pipeline.dag import lineage
from pipeline.diagnosis.shared_store import shared_store
from pipeline.store import store_schema, stores
from pipeline.store.databases import Database, connected
from pipeline.store.server_store import open_store
from pipeline.store.store_copy import copy_pipeline
from pipeline.tasks.loading import load
from tests.database_servers import PASSWORD, DatabaseServer
from tests.processes import FRESH
from trainer.errors import JobError, TransientError

TEXT = 'Straße 東 \U0001f600 it\'s "\\"{\\n \ue000 \ue000b \\'
REPO = Path(__file__).resolve().parents[2]


def connection_of(url: str) -> mlmd.ConnectionConfig:
    address = MetadataSettings(url=url).address
    assert address is not None
    return stores.server_connection(address, PASSWORD)


@contextlib.contextmanager
def database_of(url: str) -> Iterator[Database]:
    address = MetadataSettings(url=url).address
    assert address is not None
    with connected(address, PASSWORD) as database:
        yield database


@pytest.fixture
def job(tmp_path: Path, store_url: str) -> Job:
    (tmp_path / "a.txt").write_text("One document.\n")
    text = f"name: job\ntask: dataset\ncorpus: {{format: text, path: a.txt}}\nmetadata: {store_url}\n"
    (tmp_path / "job.yaml").write_text(text)
    return load(tmp_path / "job.yaml")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def test_processes_initialize_an_empty_store_together(job: Job, database_server: DatabaseServer) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "store", "init", str(job.path)]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(subprocess.Popen(command, env=environment, **pipes)) for _ in range(3)]
        ended = [(*process.communicate(), process.returncode) for process in started]
    place = job.metadata.url.replace("seqloom@", "")
    outcomes = sorted((out, err, code) for out, err, code in ended)
    again = (f"{place}: already initialized\n", "", 0)
    assert outcomes == [again, again, (f"{place}: initialized\n", "", 0)]
    assert PASSWORD not in str(ended)
    with database_of(job.metadata.url) as database:
        assert store_schema.is_complete(database)
        types = [name for (name,) in database.rows("SELECT name FROM Type")]
        assert sorted(types) == sorted(store_schema.own_schema().types)


def test_openings_of_an_empty_store_wait_for_each_other(job: Job, tmp_path: Path) -> None:
    roots = [tmp_path / f"root-{number}" for number in range(3)]
    processes = [FRESH.Process(target=_open, args=(str(job.path), str(root))) for root in roots]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len({stores.known_store(job, root).pipeline for root in roots}) == 3


def _open(config: str, root: str) -> None:
    Path(root).mkdir()
    job = load(Path(config))
    store = stores.opened_store(job, Path(root))
    assert open_store(store.connection).get_executions() == []


def test_a_store_on_a_server_is_needed_only_where_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One document.\n")
    (tmp_path / "job.yaml").write_text("name: job\ntask: dataset\ncorpus: {format: text, path: a.txt}\n")
    shown = CliRunner().invoke(app, ["store", "init", str(tmp_path / "job.yaml")])
    assert shown.output == "Nothing to do: with metadata: sqlite, each root has a file of its own.\n"


def opened(job: Job, **changes: object) -> None:
    address = job.metadata.address
    assert address is not None
    password = str(changes.pop("password", PASSWORD))
    address = address._replace(**changes)
    with connected(address, password) as database:
        store_schema.initialize(database, stores.server_connection(address, password))


def test_each_fault_of_a_store_is_one_error(job: Job, database_server: DatabaseServer) -> None:
    cases: list[tuple[dict[str, object], str, type[JobError], str]] = [
        ({"password": "no"}, "The metadata store refuses the user or the password.", JobError, "set SEQLOOM_METADATA"),
        ({"password": ""}, "The metadata store refuses the user or the password.", JobError, "password of seqloom"),
        ({"user": "nobody"}, "The metadata store refuses the user or the password.", JobError, "password of nobody"),
        ({"database": "none"}, "The server has no database none for this user.", JobError, "create the database"),
        ({"host": "no.invalid"}, "The metadata store's host is unknown.", JobError, "correct metadata.url"),
        ({"port": 1}, "The metadata store does not answer.", TransientError, "start the server"),
    ]
    for changes, what, kind, fix in cases:
        with pytest.raises(JobError) as failure:
            opened(job, **changes)
        assert (failure.value.what, type(failure.value)) == (what, kind)
        assert fix in str(failure.value)
        assert PASSWORD not in str(failure.value)


def test_databases_of_other_programs_and_versions_are_refused(job: Job, database_server: DatabaseServer) -> None:
    opened(job)
    name = job.metadata.url.rpartition("/")[2]
    database_server.execute("update MLMDEnv set schema_version = 3", name)
    with pytest.raises(JobError, match="of another version of ML Metadata") as old:
        opened(job)
    assert old.value.found == "schema 3"
    database_server.create(f"{name}_shop")
    database_server.execute("create table customer (id int)", f"{name}_shop")
    with pytest.raises(JobError, match="is of another program") as other:
        opened(job, database=f"{name}_shop")
    assert other.value.found == "the tables customer"
    with database_of(f"{job.metadata.url}_shop") as database:
        assert database.tables() == {"customer"}


def test_a_half_made_store_is_refused_with_a_remedy(
    job: Job, database_server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(job)
    database_server.execute("drop table EventPath", job.metadata.url.rpartition("/")[2])
    monkeypatch.setattr(store_schema, "_INTERVAL", 0)
    with pytest.raises(JobError, match="cannot be initialized") as failure:
        opened(job)
    assert "drop it and create it again" in str(failure.value)


def test_a_root_has_an_identity_that_moves_with_it(job: Job, root: Path, tmp_path: Path) -> None:
    first = stores.opened_store(job, root)
    assert first.pipeline.startswith("job@")
    assert stores.opened_store(job, root) == first
    moved = root.rename(tmp_path / "moved")
    assert stores.opened_store(job, moved).pipeline == first.pipeline
    copy = Path(shutil.copytree(moved, tmp_path / "copy"))
    with pytest.raises(JobError, match="is a copy of another one"):
        stores.opened_store(job, copy)
    (copy / "store.json").unlink()
    assert stores.opened_store(job, copy).pipeline != first.pipeline
    long = job.model_copy(update={"name": "a" * 63})
    assert len(stores.known_store(long, moved).pipeline) == 63
    assert stores.known_store(job.model_copy(update={"name": "a" * 62}), moved) != stores.known_store(long, moved)


def test_the_metadata_of_a_root_is_in_one_place(
    job: Job, root: Path, tmp_path: Path, database_server: DatabaseServer
) -> None:
    in_file = job.model_copy(update={"metadata": MetadataSettings()})
    stores.opened_store(job, root)
    for open_in in (stores.known_store, stores.opened_store, stores.has_runs):
        with pytest.raises(JobError, match="is in a store on a server"):
            open_in(in_file, root)
    name = f"{job.metadata.url.rpartition('/')[2]}_other"
    elsewhere = job.model_copy(update={"metadata": MetadataSettings(url=database_server.create(name))})
    with pytest.raises(JobError, match="is in another store"):
        stores.opened_store(elsewhere, root)
    (tmp_path / "old").mkdir()
    lineage.has_artifact(stores.opened_store(in_file, tmp_path / "old").connection, "job", "Model")
    for open_in in (stores.opened_store, stores.has_runs):
        with pytest.raises(JobError, match="is in a file"):
            open_in(job, tmp_path / "old")


def execute(connection: mlmd.ConnectionConfig, pipeline: str, run: str, uri: str) -> None:
    """Adds an execution with an artifact to a store, as TFX does."""
    store = open_store(connection)
    kinds = {name: store.put_context_type(mlmd.ContextType(name=name)) for name in ("pipeline", "pipeline_run", "node")}
    names = {"pipeline": pipeline, "pipeline_run": run, "node": f"{pipeline}.Gen"}
    contexts = []
    for kind, name in names.items():
        found = store.get_context_by_type_and_name(kind, name)
        contexts.append(found or mlmd.Context(type_id=kinds[kind], name=name))
    executed = store.put_execution_type(mlmd.ExecutionType(name="Gen", properties={"n": mlmd.INT}))
    made = store.put_artifact_type(mlmd.ArtifactType(name="Examples"))
    execution = mlmd.Execution(type_id=executed, properties={"n": mlmd.Value(int_value=3)}, last_known_state="COMPLETE")
    execution.custom_properties["text"].string_value = TEXT
    artifact = mlmd.Artifact(type_id=made, uri=uri, state=mlmd.Artifact.LIVE)
    artifact.custom_properties["nested"].struct_value.update({"a": [1.0, "b"], "c": True})
    artifact.custom_properties["yes"].bool_value = True
    artifact.custom_properties["half"].double_value = 0.1
    event = mlmd.Event(type=mlmd.Event.OUTPUT)
    event.path.steps.add().key = "examples"
    event.path.steps.add().index = 0
    store.put_execution(execution, [(artifact, event)], contexts)


def test_a_copy_has_all_of_one_pipeline_with_its_ids(job: Job, root: Path, tmp_path: Path) -> None:
    connection = stores.opened_store(job, root).connection
    for number, name in enumerate(("other@1", "job@2", "job@3", "job@2")):
        execute(connection, name, "one", f"/{number}")
    with database_of(job.metadata.url) as database:
        copy_pipeline(database, "job@2", tmp_path / "copy.sqlite")
        copy_pipeline(database, "absent", tmp_path / "empty.sqlite")
    copied = lineage.sqlite(str(tmp_path / "copy.sqlite"))
    found, source = open_store(copied), open_store(connection)
    kept = {artifact.id: artifact for artifact in source.get_artifacts() if artifact.uri in ("/1", "/3")}
    assert {artifact.id: artifact for artifact in found.get_artifacts()} == kept
    executions = {execution.id: execution for execution in found.get_executions()}
    assert len(executions) == 2
    assert executions == {each.id: each for each in source.get_executions_by_id([*executions])}
    assert {each.custom_properties["text"].string_value for each in executions.values()} == {TEXT}
    events = [sorted(map(str, one.get_events_by_execution_ids([*executions]))) for one in (found, source)]
    assert events[0] == events[1]
    assert sorted(context.name for context in found.get_contexts()) == ["job@2", "job@2.Gen", "one"]
    assert lineage.read_run(copied, "job@2", "one") == lineage.read_run(connection, "job@2", "one")
    assert {kind.name for kind in found.get_artifact_types()} == {kind.name for kind in source.get_artifact_types()}
    assert open_store(lineage.sqlite(str(tmp_path / "empty.sqlite"))).get_executions() == []


def test_look_ups_are_limited_to_the_pipeline_of_the_root(job: Job, root: Path) -> None:
    connection = stores.opened_store(job, root).connection
    execute(connection, "job@1", "one", "/old/artifacts/Gen/examples/1")
    execute(connection, "job@2", "one", "/else/artifacts/Gen/examples/2")
    assert lineage.has_artifact(connection, "job@1", "Examples")
    assert not lineage.has_artifact(connection, "job@3", "Examples")
    lineage.relocate(connection, "job@1", "/new/artifacts")
    uris = sorted(artifact.uri for artifact in open_store(connection).get_artifacts())
    assert uris == ["/else/artifacts/Gen/examples/2", "/new/artifacts/Gen/examples/1"]
    (run,) = lineage.read_run(connection, "job@2", "one").values()
    assert run.outputs["examples"].uri == "/else/artifacts/Gen/examples/2"


def test_results_are_in_the_order_of_their_ids(job: Job, root: Path) -> None:
    store = open_store(stores.opened_store(job, root).connection)
    kind = store.put_artifact_type(mlmd.ArtifactType(name="Examples"))
    ids = store.put_artifacts([mlmd.Artifact(type_id=kind, uri=str(number)) for number in range(5)])
    for number in ids[:2]:  # PostgreSQL moves a row that is updated.
        store.put_artifacts([mlmd.Artifact(id=number, type_id=kind, uri="new", state=mlmd.Artifact.LIVE)])
    for wanted in (ids, ids[::-1], [ids[3], ids[0], ids[4]]):
        assert [artifact.id for artifact in store.get_artifacts_by_id(wanted)] == wanted
        found, _ = store.get_artifacts_and_types_by_artifact_ids(wanted)
        assert [artifact.id for artifact in found] == wanted


def test_doctor_has_a_line_on_the_store(job: Job, root: Path, database_server: DatabaseServer) -> None:
    place = job.metadata.url.replace("seqloom@", "")
    empty = shared_store(job, root)
    assert (empty.state.value, empty.found) == ("ok", f"{place}, empty; the first run initializes it")
    execute(stores.opened_store(job, root).connection, "job@1", "one", "/1")
    used = shared_store(job, root)
    assert (used.state.value, used.found) == ("ok", f"{place}, schema 10, 1 execution")
    missing = job.model_copy(update={"metadata": MetadataSettings(url=f"{job.metadata.url}_none")})
    found = shared_store(missing, root)
    assert (found.state.value, "has no database store_" in found.found) == ("missing", True)
    assert found.remedy is not None
    assert found.remedy.startswith("create the database")


def test_ids_of_runs_that_a_store_takes_for_the_same_are_refused(job: Job, root: Path) -> None:
    connection = stores.opened_store(job, root).connection
    lineage.check_run_id(connection, "ONE")
    execute(connection, "job@1", "one", "/1")
    lineage.check_run_id(connection, "one")
    if job.metadata.url.startswith("mysql"):
        with pytest.raises(JobError, match="only in case"):
            lineage.check_run_id(connection, "ONE")
    else:
        lineage.check_run_id(connection, "ONE")


def _use_a_lost_store(url: str, opened: Event, stopped: Event) -> None:
    """Fails unless each call after the loss of a connection raises a passing error."""
    store = open_store(connection_of(url))
    opened.set()
    stopped.wait()
    for _ in range(4):
        with pytest.raises(TransientError) as failure:
            store.get_executions()
        assert PASSWORD not in str(failure.value)


def test_a_lost_connection_is_a_passing_fault(job: Job, root: Path, database_server: DatabaseServer) -> None:
    stores.opened_store(job, root)
    opened, stopped = FRESH.Event(), FRESH.Event()
    process = FRESH.Process(target=_use_a_lost_store, args=(job.metadata.url, opened, stopped))
    process.start()
    assert opened.wait(120)
    database_server.stop()
    try:
        stopped.set()
        process.join()
        with pytest.raises(TransientError, match="The metadata store does not answer"):
            stores.opened_store(job, root)
    finally:
        database_server.start()
    assert process.exitcode == 0
    stores.opened_store(job, root)
