"""What a run removes of the runs before it, and of its own temporary files."""

import os
import tempfile
from pathlib import Path

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.dag.layout import Layout
from pipeline.dag.lineage import sqlite
from pipeline.runs import leftovers
from pipeline.runs.temporary import temporary_folder

HEX = "0123456789abcdef" * 2


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def write(root: Path, *names: str) -> set[str]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return set(names)


@pytest.mark.parametrize("moved", [False, True])
def test_only_what_unfinished_executions_left_is_removed(tmp_path: Path, moved: bool) -> None:
    root = tmp_path / "root"
    root.mkdir()
    layout = Layout(root)
    connection = sqlite(layout.metadata)
    store = metadata_store.MetadataStore(connection)
    kind = store.put_execution_type(mlmd.ExecutionType(name="Trainer"))
    data = store.put_artifact_type(mlmd.ArtifactType(name="Model"))
    states = ("COMPLETE", "CACHED", "RUNNING", "FAILED", "NEW", "RUNNING")
    ids = store.put_executions([mlmd.Execution(type_id=kind, last_known_state=state) for state in states])
    before = "/elsewhere" if moved else str(root)
    published = [f"Trainer/model/{ids[0]}", f"Trainer/value/{ids[0]}/value", f"Gen/examples/{ids[5]}"]
    artifacts = store.put_artifacts(
        [mlmd.Artifact(type_id=data, uri=f"{before}/artifacts/{name}") for name in published]
    )
    makers = (ids[0], ids[0], ids[5])
    pairs = zip(artifacts, makers, strict=True)
    store.put_events([mlmd.Event(artifact_id=one, execution_id=maker, type="OUTPUT") for one, maker in pairs])

    kept = write(
        root, *(f"artifacts/Trainer/{channel}/{number}/value" for channel in ("model", "value") for number in ids[:2])
    )
    kept |= write(root, f"artifacts/Gen/examples/{ids[5]}/Split-train/a.gz", "artifacts/Trainer/model/notes/a")
    kept |= write(root, f"quarantine/{ids[0]}/records.jsonl", "serving/17/saved_model.pb", "serving/.hidden/a")
    kept |= write(root, "logs/one/run.json", "logs/one/run.log", "checkpoints/key/model.index", "schema/a.pbtxt")
    write(root, *(f"artifacts/Trainer/model/{number}/a" for number in ids[2:]))
    write(root, f"artifacts/Gen/examples/{ids[2]}/partial-{HEX}", "artifacts/Gen/.system/stateful_working_dir/a/b")
    write(root, f"quarantine/{ids[3]}/records.jsonl", f"quarantine/{ids[0]}/records.jsonl.{HEX}")
    write(
        root,
        f"serving/.18-{HEX}/saved_model.pb",
        f"serving/.history.jsonl-{HEX}",
        "logs/one/.partial-7",
        "schema/.partial-7",
    )
    del store
    leftovers.remove(layout, connection)
    assert files(root) - {"metadata.sqlite"} == kept


def test_temporary_files_are_in_the_root_and_go_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/before")
    monkeypatch.setattr(tempfile, "tempdir", "/before")
    folder = tmp_path / "tmp"
    write(folder, "of a killed run/a")
    with temporary_folder(folder):
        assert list(folder.iterdir()) == []
        with tempfile.NamedTemporaryFile(delete=False) as file:
            assert Path(file.name).parent == folder
        assert os.environ["TMPDIR"] == str(folder)
    assert not folder.exists()
    assert (os.environ["TMPDIR"], tempfile.tempdir) == ("/before", "/before")


def test_beside_running_components_only_what_one_of_them_left_is_removed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    layout = Layout(root)
    connection = sqlite(layout.metadata)
    store = metadata_store.MetadataStore(connection)
    kinds = [store.put_execution_type(mlmd.ExecutionType(name=name)) for name in ("Trainer", "Gen")]
    running = [mlmd.Execution(type_id=kind, last_known_state="RUNNING") for kind in kinds]
    trainer, gen = store.put_executions(running)
    kept = write(root, f"artifacts/Gen/examples/{gen}/value", "artifacts/Gen/.system/a", f"quarantine/{gen}/b")
    kept |= write(root, "checkpoints/key/last", "logs/one/.partial-1", "metadata.sqlite.other")
    write(root, f"artifacts/Trainer/model/{trainer}/value", "artifacts/Trainer/.system/a", f"quarantine/{trainer}/b")
    leftovers.remove_of("Trainer", layout, connection)
    assert files(root) == kept | {"metadata.sqlite"}
