"""Later runs of a job: what comes from cache, what is compared, and what is published."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.slow

UPSTREAM = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "SequenceTransform")


@pytest.fixture(scope="module")
def cached(first, ran):
    """The same again."""
    return ran(first[0])


@pytest.fixture(scope="module")
def uncached(first, ran, cached):
    """The same, all made anew."""
    return ran(first[0], "--no-cache")


@pytest.fixture(scope="module")
def changed(first, ran, uncached):
    """Another seed, and a recurrent dropout."""
    return ran(first[0], "--set", "trainer.seed=2", "--set", "trainer.recurrent_dropout=0.2")


@pytest.fixture(scope="module")
def worse(first, ran, changed):
    """A model that learned nothing: good enough for the gates, but worse than the last."""
    gates = '{"accuracy": {"min": 0.1, "max_drop": 0.1}, "loss": {"max_rise": 0.2}}'
    return ran(first[0], "--set", "trainer.learning_rate=1e-9", "--set", f"gates={gates}")


@pytest.fixture(scope="module")
def refused(first, ran, worse):
    """Gates that nothing can pass."""
    strict = ("gates.loss.max=0", "gates.accuracy.slices.nowhere.min=0.5")
    return ran(first[0], *(part for setting in strict for part in ("--set", setting)))


def test_the_same_again_comes_from_cache(first, cached):
    assert cached.process.returncode == 0
    assert cached.record["state"] == "unchanged"
    never_cached = ("PreviousStatistics", "Baseline", "Pusher")
    expected = {name: "done" if name in never_cached else "cached" for name in first[1].states}
    assert cached.states == expected
    states = {"done": "COMPLETE", "cached": "CACHED"}
    assert cached.executions == {name: states[state] for name, state in expected.items()}
    assert cached.versions == first[1].versions
    for key in ("metrics", "verdict", "pushed"):
        assert cached.record[key] == first[1].record[key]
    assert "Nothing new to publish: this model is already published." in cached.process.stdout


def test_all_made_anew_is_the_same_model_and_not_published_again(first, uncached, alike):
    job, done = first
    assert uncached.process.returncode == 0
    assert set(uncached.states.values()) == {"done"}
    assert uncached.record["metrics"] == alike(done.record["metrics"])
    assert uncached.record["state"] == "unchanged"
    assert uncached.versions == done.versions
    graphs = sorted(job.root.glob("artifacts/SequenceTransform/transform_graph/*"))
    assert len(graphs) == 2
    assert len({(graph / "vocabulary.txt").read_bytes() for graph in graphs}) == 1
    assert figures(uncached) == figures(done)


def test_another_seed_trains_again_and_is_compared_with_the_last_model(first, changed):
    assert changed.process.returncode == 0
    assert changed.states == {name: "cached" if name in UPSTREAM else "done" for name in changed.states}
    assert figures(changed) != figures(first[1])
    assert changed.record["state"] == "pushed"
    assert changed.versions[0] == first[1].versions[0]
    assert changed.record["pushed"]["version"] == changed.versions[1]
    assert words_of_change("accuracy", changed, first[1], 0.1) in changed.record["verdict"]["reasons"]
    assert words_of_change("loss", changed, first[1], 0.3) in changed.record["verdict"]["reasons"]


def test_what_rules_the_fused_kernel_out_is_told(changed):
    (warning,) = [line for line in changed.process.stdout.splitlines() if line.startswith("Warning: ")]
    assert "cuDNN" in warning
    assert "trainer.recurrent_dropout: 0.2" in warning
    assert changed.process.stderr == ""


def test_a_worse_model_is_not_published(changed, worse):
    assert worse.process.returncode == 3
    assert worse.states == {name: "cached" if name in UPSTREAM else "done" for name in worse.states}
    assert worse.record["state"] == "not_blessed"
    assert worse.record["pushed"] is None
    assert worse.versions == changed.versions
    verdict, accuracy = worse.record["verdict"], worse.record["metrics"]["overall"]["accuracy"]
    assert verdict["blessed"] is False
    assert verdict["reasons"] == [
        words_of_change("accuracy", worse, changed, 0.1),
        words_of_change("loss", worse, changed, 0.2),
        f"accuracy is {accuracy:.4f}, which meets at least 0.1",
    ]
    assert "Not published: the model did not pass its gates." in worse.process.stdout
    assert f"- {verdict['reasons'][0]}" in worse.process.stdout


def test_a_missed_gate_is_told_in_words(first, changed, refused, alike):
    assert refused.process.returncode == 3
    assert refused.states["Trainer"] == "cached"
    assert refused.record["metrics"] == alike(first[1].record["metrics"])
    loss = refused.record["metrics"]["overall"]["loss"]
    reasons = refused.record["verdict"]["reasons"]
    assert reasons[:2] == [
        "accuracy on source=nowhere: no such documents in the test split",
        f"loss is {loss:.4f}, but must be at most 0",
    ]
    assert refused.versions == changed.versions


def test_runs_tells_all_of_them(first, refused):
    told = first[0].seqloom("runs", first[0].root, "--json")
    states = [record["state"] for record in json.loads(told.stdout)]
    assert states == ["pushed", "unchanged", "unchanged", "pushed", "not_blessed", "not_blessed"]


def figures(ran) -> list[dict[str, float]]:
    """What was measured in training, the times aside."""
    return list(_figures(ran.record["details"]["training"]["history"]))


def _figures(history: list[dict[str, float]]) -> Iterator[dict[str, float]]:
    for epoch in history:
        timed = ("seconds", "tokens_per_second", "input_wait")
        yield {name: value for name, value in epoch.items() if name not in timed}


def words_of_change(metric: str, ran, before, margin: float) -> str:
    now, then = (run.record["metrics"]["overall"][metric] for run in (ran, before))
    worse = now < then if metric == "accuracy" else now > then
    within = not worse or abs(now - then) <= margin
    relation = f"{abs(now - then):.4f} {'worse' if worse else 'better'} than" if now != then else "equal to"
    text = f"{metric} is {relation} the last blessed model's {then:.4f}"
    return f"{text}, {'within' if within else 'beyond'} the margin of {margin:g}"
