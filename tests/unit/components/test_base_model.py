"""The choice of the model that a training starts from, on a store of ML Metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx import types
from tfx.orchestration import metadata
from tfx.orchestration.portable import execution_publish_utils as publish
from tfx.orchestration.portable.mlmd import context_lib
from tfx.types import standard_artifacts

from components.pusher.serving_history import key_of
from components.warm_start.base_model import LastBlessedBefore


class Runs:
    """Runs of a pipeline on files, by letter; a repeated result comes from the cache."""

    def __init__(self, handle: metadata.Metadata) -> None:
        self._handle = handle
        self._known: dict[str, types.Artifact] = {}

    def run(self, result: str) -> str | None:
        """Looks up the base of a model, then makes or repeats it; returns the base.

        "A" is a blessed model of the files A, "A-" one that is not blessed, and "A2" one with other settings.
        """
        raw = self._execute("CorpusExampleGen", result[0], standard_artifacts.Examples(), {}, fingerprint=result[0])
        transformed = self._execute("SequenceTransform", result, standard_artifacts.Examples(), {"examples": raw})
        base = self.base(transformed)
        model = self._execute("Trainer", result, standard_artifacts.Model(), {"examples": transformed})
        blessing = standard_artifacts.ModelBlessing()
        blessing.set_int_custom_property("blessed", int("-" not in result))
        blessing.set_int_custom_property("current_model_id", model.id)
        self._execute("Evaluator", result, blessing, {"model": model})
        return base

    def base(self, transformed: types.Artifact, withdrawn: Sequence[str] = ()) -> str | None:
        models = {key: one for key, one in self._known.items() if key.startswith("Trainer")}
        blessings = [one for key, one in self._known.items() if key.startswith("Evaluator")]
        given = {"examples": [transformed], "model": [*models.values()], "model_blessing": blessings}
        found = LastBlessedBefore(withdrawn).resolve_artifacts(self._handle.store, given)
        assert found["examples"] == [transformed]
        assert len(found["model"]) == len(found["model_blessing"]) <= 1
        names = {one.id: key.partition(" ")[2] for key, one in models.items()}
        return names[found["model"][0].id] if found["model"] else None

    def base_of(self, name: str, *withdrawn: str) -> str | None:
        """The base of a model that was made before, after models were rolled back."""
        keys = [key_of({"digest": model}) for model in withdrawn]
        return self.base(self._known[f"SequenceTransform {name}"], keys)

    def save(self, name: str, folder: Path) -> None:
        """Writes the identity of a model to a folder, as the place of the model."""
        about = folder / name / "Format-Serving" / "assets.extra" / "seqloom.json"
        about.parent.mkdir(parents=True)
        about.write_text(json.dumps({"digest": name}))
        self._known[f"Trainer {name}"].uri = str(folder / name)

    def _execute(
        self,
        component: str,
        name: str,
        new: types.Artifact,
        inputs: dict[str, types.Artifact],
        fingerprint: str = "",
    ) -> types.Artifact:
        contexts = [context_lib.register_context_if_not_exists(self._handle, "node", f"p.{component}")]
        given = {channel: [artifact] for channel, artifact in inputs.items()}
        kind = mlmd.ExecutionType(name=component)
        execution = publish.register_execution(self._handle, kind, contexts, input_artifacts=given)
        key = f"{component} {name}"
        if key in self._known:
            publish.publish_cached_executions(self._handle, contexts, [execution], [{"out": [self._known[key]]}])
        else:
            new.uri = f"/{component}/{name}"
            if fingerprint:
                new.set_string_custom_property("input_fingerprint", fingerprint)
            done, _ = publish.publish_succeeded_execution(self._handle, execution.id, contexts, {"out": [new]})
            (self._known[key],) = done["out"]
        return self._known[key]


@pytest.fixture
def runs() -> Iterator[Runs]:
    with metadata.Metadata(mlmd.ConnectionConfig(fake_database=mlmd.FakeDatabaseConfig())) as handle:
        yield Runs(handle)


@pytest.mark.parametrize(
    ("results", "bases"),
    [
        ("A B C", [None, "A", "B"]),
        ("A A B B C", [None, None, "A", "A", "B"]),
        ("A B A C", [None, "A", None, "A"]),  # A was blessed once more, after B
        ("A B- C", [None, "A", "A"]),
        ("A- B C", [None, None, "B"]),
        ("A- B A2", [None, None, None]),
        ("A B C B2 D", [None, "A", "B", "A", "B2"]),
        ("A B A2 B2", [None, "A", None, "A"]),
    ],
)
def test_the_base_is_the_last_model_blessed_before_the_first_training_on_the_same_files(
    runs: Runs, results: str, bases: list[str | None]
) -> None:
    assert [runs.run(result) for result in results.split()] == bases


def test_a_model_that_was_rolled_back_is_no_start(runs: Runs, tmp_path: Path) -> None:
    for name in "ABC":
        runs.run(name)
        runs.save(name, tmp_path)
    assert runs.base_of("C") == "B"
    assert runs.base_of("C", "B") == "A"
    assert runs.base_of("C", "A", "B") is None
