"""The choice of the baseline model, on artifacts that TFX publishes to ML Metadata."""

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

from components.evaluator.baseline import LastBlessedOther
from components.pusher.serving_history import key_of


class Runs:
    """Runs of one pipeline that train models, by letter, and judge them; a repeated result comes from the cache."""

    def __init__(self, handle: metadata.Metadata) -> None:
        self._handle = handle
        self.models: dict[str, types.Artifact] = {}
        self.blessings: dict[str, types.Artifact] = {}

    def run(self, result: str) -> None:
        """Trains and judges, or repeats, a model; "A" is blessed, "A-" is not, "A2" blesses A once more."""
        name = result[0]
        self._execute("Trainer", "model", self.models, name, standard_artifacts.Model())
        blessing = standard_artifacts.ModelBlessing()
        blessing.set_int_custom_property("blessed", int("-" not in result))
        blessing.set_int_custom_property("current_model_id", self.models[name].id)
        self._execute("Evaluator", "blessing", self.blessings, result, blessing)
        self._execute("Baseline", "model_blessing", self.blessings, next(iter(self.blessings)), None)

    def baseline(self, candidate: str, *gone: str, withdrawn: Sequence[str] = ()) -> str | None:
        """The name of the baseline of a model, without models that are gone; `withdrawn` were rolled back."""
        candidates = [self.models[candidate]]
        models = [model for name, model in self.models.items() if name not in gone]
        given = {"candidate": candidates, "model": models, "model_blessing": [*self.blessings.values()]}
        resolved = LastBlessedOther([key_of({"digest": name}) for name in withdrawn]).resolve_artifacts(
            self._handle.store, given
        )
        assert resolved["candidate"] == candidates
        assert len(resolved["model"]) == len(resolved["model_blessing"]) <= 1
        for model, blessing in zip(resolved["model"], resolved["model_blessing"], strict=True):
            assert blessing.get_int_custom_property("current_model_id") == model.id
            return next(name for name, known in self.models.items() if known is model)
        return None

    def _execute(
        self, component: str, output: str, known: dict[str, types.Artifact], key: str, new: types.Artifact | None
    ) -> None:
        contexts = [context_lib.register_context_if_not_exists(self._handle, "node", f"p.{component}")]
        kind = mlmd.ExecutionType(name=component)
        execution = publish.register_execution(self._handle, kind, contexts)
        if new is None:
            # A resolver outputs what it chooses, which is no new result.
            publish.publish_internal_execution(self._handle, contexts, execution.id, {output: [known[key]]})
        elif key in known:
            publish.publish_cached_executions(self._handle, contexts, [execution], [{output: [known[key]]}])
        else:
            new.uri = f"/{component}/{key}"
            published, _ = publish.publish_succeeded_execution(self._handle, execution.id, contexts, {output: [new]})
            (known[key],) = published[output]


@pytest.fixture
def runs() -> Iterator[Runs]:
    with metadata.Metadata(mlmd.ConnectionConfig(fake_database=mlmd.FakeDatabaseConfig())) as handle:
        yield Runs(handle)


@pytest.mark.parametrize(
    ("results", "candidate", "expected"),
    [
        ("A B C", "C", "B"),
        ("A B A B C", "C", "B"),  # B came last, from the cache
        ("A B A C", "C", "A"),
        ("A B A B", "A", "B"),
        ("A B A B", "B", "A"),
        ("A B C", "B", "C"),
        ("A B-", "B", "A"),
        ("A B- C", "C", "A"),
        ("A B- B- C", "C", "A"),
        ("A A- B", "B", "A"),  # not blessed the second time: the blessing stands
        ("A B A2 C", "C", "A"),
        ("A- B", "B", None),
        ("A", "A", None),
    ],
)
def test_the_baseline_is_the_last_blessed_other_model(
    runs: Runs, results: str, candidate: str, expected: str | None
) -> None:
    for result in results.split():
        runs.run(result)
    assert runs.baseline(candidate) == expected


def test_a_model_that_is_gone_is_no_baseline(runs: Runs) -> None:
    runs.run("A")
    runs.run("B")
    runs.run("C")
    assert runs.baseline("C", "B") == "A"
    assert runs.baseline("C", "A", "B") is None


def test_a_model_that_was_rolled_back_is_no_baseline(runs: Runs, tmp_path: Path) -> None:
    for name in "ABC":
        runs.run(name)
        about = tmp_path / name / "Format-Serving" / "assets.extra" / "seqloom.json"
        about.parent.mkdir(parents=True)
        about.write_text(json.dumps({"digest": name}))
        runs.models[name].uri = str(tmp_path / name)
    assert runs.baseline("C") == "B"
    assert runs.baseline("C", withdrawn="B") == "A"
    assert runs.baseline("C", withdrawn="AB") is None


def test_a_first_model_has_no_baseline(runs: Runs) -> None:
    given = {"candidate": [standard_artifacts.Model()], "model": [], "model_blessing": []}
    assert LastBlessedOther().resolve_artifacts(None, given) == given
