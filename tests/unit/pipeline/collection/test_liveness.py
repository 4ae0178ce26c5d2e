"""What a root still needs: a table of cases, and a comparison with what the next run would look up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collection.liveness import Compared, Inventory, Policy, Result, RunFacts, StampedCopy, find_dead
from pipeline.runs.state import RunState


def runs(*names: str, **states: str) -> tuple[RunFacts, ...]:
    return tuple(RunFacts(name, "job", RunState[states.get(name, "DONE")]) for name in names)


def result(*users: str, job: str = "job", component: str = "Gen") -> Result:
    return Result(job, component, frozenset(users))


def compared(what: str, *results: int, job: str = "job") -> Compared:
    return Compared(job, what, frozenset(results))


FOUR = runs("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("inventory", "policy", "results", "logs"),
    [
        pytest.param(Inventory(), Policy(1), [], [], id="an empty root"),
        pytest.param(
            Inventory(FOUR, {1: result("a"), 2: result("b"), 3: result("c"), 4: result("d")}),
            Policy(2), [1, 2], ["a", "b"], id="the last runs are kept",
        ),
        pytest.param(Inventory(FOUR, {1: result("a")}), Policy(4), [], [], id="as many runs as are kept"),
        pytest.param(Inventory(FOUR, {1: result()}), Policy(4), [1], [], id="a result that no run has any more"),
        pytest.param(
            Inventory(FOUR, {1: result("a", "d"), 2: result("a", "b")}),
            Policy(1), [2], ["a", "b", "c"], id="a kept run took it from the cache, or read it",
        ),
        pytest.param(
            Inventory((*FOUR, RunFacts("x", "other", RunState.DONE)), {1: result("d"), 2: result("x", job="other")}),
            Policy(1), [], ["a", "b", "c"], id="each job has its last runs",
        ),
        pytest.param(
            Inventory((RunFacts("a", "job", RunState.INTERRUPTED, by_steps=True), *FOUR[1:]), {1: result("a")}),
            Policy(1), [], ["b", "c"], id="steps may continue a run",
        ),
        pytest.param(
            Inventory((RunFacts("a", "job", RunState.FAILED, by_steps=True), *FOUR[1:]), {1: result("a")}),
            Policy(1), [1], ["a", "b", "c"], id="a run by steps that has failed is old one day",
        ),
        pytest.param(
            Inventory(runs("a", "b", a="INTERRUPTED"), {1: result("a")}),
            Policy(1), [1], ["a"], id="a whole run is not continued, but started again",
        ),
        pytest.param(
            Inventory(FOUR, {n: result("a") for n in range(1, 7)},
                      blessed=(compared("m1", 1, 2), compared("m2", 3, 4), compared("m3", 5, 6))),
            Policy(1), [1, 2], ["a", "b", "c"], id="the last two blessed models",
        ),
        pytest.param(
            Inventory(FOUR, {n: result("a") for n in range(1, 5)},
                      blessed=(compared("m1", 1), compared("m2", 2), compared("m1", 3), compared("m1", 4))),
            Policy(1), [1, 3], ["a", "b", "c"], id="the last use of a model counts",
        ),
        pytest.param(
            Inventory(FOUR, {n: result("a") for n in range(1, 4)},
                      validated=(compared("x", 1), compared("y", 2), compared("z", 3))),
            Policy(1), [1], ["a", "b", "c"], id="the statistics of the last two corpora",
        ),
        pytest.param(
            Inventory(FOUR, {1: result("a"), 2: result("a"), 3: result("a", job="other")},
                      tuned=(compared("h1", 1), compared("h2", 2), compared("h3", 3, job="other"))),
            Policy(1), [1], ["a", "b", "c"], id="the last hyperparameters of each job",
        ),
        pytest.param(
            Inventory((RunFacts("a", "job", RunState.PUSHED, version="7"), *FOUR[1:]), {1: result("a"), 2: result("a")},
                      versions=(7,), published={7: frozenset({2})}),
            Policy(1), [1], ["b", "c"], id="what a version comes from, and its record",
        ),
        pytest.param(
            Inventory((RunFacts("a", "job", RunState.PUSHED, version="7"), *FOUR[1:]), {2: result("a"), 3: result("b")},
                      versions=(7, 8), published={7: frozenset({2}), 8: frozenset({3})}),
            Policy(1, 1), [2], ["a", "b", "c"], id="a version that is not kept any more",
        ),
    ],
)  # fmt: skip
def test_what_is_dead(inventory: Inventory, policy: Policy, results: list[int], logs: list[str]) -> None:
    dead = find_dead(inventory, policy)
    assert (sorted(dead.results), sorted(dead.runs)) == (results, logs)


def test_versions_are_only_deleted_if_asked() -> None:
    inventory = Inventory(versions=(7, 8, 12))
    assert find_dead(inventory, Policy(1)).versions == {}
    assert find_dead(inventory, Policy(1, 5)).versions == {}
    assert sorted(find_dead(inventory, Policy(1, 2)).versions) == [7]


def test_a_copy_is_needed_by_results_and_by_runs_by_steps() -> None:
    step = RunFacts("s", "job", RunState.WAITING, by_steps=True)
    copies = {
        "schema/a": StampedCopy(frozenset({1}), frozenset({"a"})),
        "schema/d": StampedCopy(frozenset({2}), frozenset()),
        "vectors/s": StampedCopy(frozenset(), frozenset({"s"})),
        "vectors/none": StampedCopy(frozenset(), frozenset()),
    }
    inventory = Inventory((step, *FOUR), {1: result("a"), 2: result("d")}, copies=copies)
    assert sorted(find_dead(inventory, Policy(1)).copies) == ["schema/a", "vectors/none"]


@pytest.mark.parametrize(
    ("states", "kept"),
    [("DONE DONE", False), ("DONE FAILED", True), ("DONE INTERRUPTED", True), ("INTERRUPTED DONE DONE", False)],
)
def test_checkpoints_are_kept_for_a_run_that_may_resume(states: str, kept: bool) -> None:
    found = tuple(RunFacts(str(n), "job", RunState[state]) for n, state in enumerate(states.split()))
    assert (find_dead(Inventory(found), Policy(2)).checkpoints is None) == kept


NUMBERS = st.integers(1, 8)
JOBS = st.sampled_from(["one", "two"])
COMPARED = st.lists(
    st.builds(Compared, JOBS, st.sampled_from("xyz"), st.frozensets(NUMBERS, min_size=1, max_size=2)), max_size=6
).map(tuple)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    names = [str(number) for number in range(draw(st.integers(0, 7)))]
    versions = draw(st.lists(st.integers(1, 9), unique=True, max_size=4).map(sorted))
    facts = tuple(
        RunFacts(
            name,
            draw(JOBS),
            draw(st.sampled_from(RunState)),
            draw(st.booleans()),
            draw(st.sampled_from([None, *map(str, versions)])),
        )
        for name in names
    )
    users = st.frozensets(st.sampled_from(names), max_size=3) if names else st.just(frozenset())
    results = {number: Result(draw(JOBS), "Gen", draw(users)) for number in range(1, 9)}
    published = {version: draw(st.frozensets(NUMBERS, max_size=3)) for version in versions}
    return Inventory(facts, results, draw(COMPARED), draw(COMPARED), draw(COMPARED), tuple(versions), published)


def looked_up(compared: tuple[Compared, ...], job: str, own: str, gone: set[int]) -> Compared | None:
    """What a run of a job with a model or corpus of its own finds, as TFX's resolvers of this project go about it."""
    for each in reversed(compared):
        if each.job == job and each.what != own and not each.results & gone:
            return each
    return None


@given(inventories(), st.integers(1, 4), st.none() | st.integers(1, 3))
def test_nothing_that_is_live_is_dead(inventory: Inventory, kept: int, versions: int | None) -> None:
    dead = find_dead(inventory, Policy(kept, versions))
    gone = set(dead.results)
    for job in ("one", "two"):
        mine = [run for run in inventory.runs if run.job == job]
        for position, run in enumerate(reversed(mine)):
            if position < kept or (run.by_steps and run.state.value in ("running", "waiting", "interrupted")):
                assert run.run_id not in dead.runs
                assert not {n for n, found in inventory.results.items() if run.run_id in found.runs} & gone
        for own in ("x", "y", "z", "new"):
            for what in (inventory.blessed, inventory.validated):
                assert looked_up(what, job, own, gone) == looked_up(what, job, own, set())
        assert looked_up(inventory.tuned, job, "", gone) == looked_up(inventory.tuned, job, "", set())
    for version in set(inventory.versions) - set(dead.versions):
        assert not inventory.published[version] & gone
        assert not {run.run_id for run in inventory.runs if run.version == str(version)} & set(dead.runs)
    if versions is None:
        assert dead.versions == {}
    assert set(dead.versions) == {*inventory.versions} - {*sorted(inventory.versions)[-(versions or 99) :]}
