"""The local runner under real TFX: the reported states, and the outcome of a component that fails."""

import dataclasses
import functools
import io
import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from rich.console import Console

from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from pipeline.console.live import RunConsole
from pipeline.dag import lineage
from pipeline.runners import local
from pipeline.runners.watch import Watch
from pipeline.runs import record as history
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.prepare import PreparedRun, prepare
from pipeline.runs.state import ComponentState
from pipeline.tasks.loading import load
from pipeline.tasks.supervised_job import BEST_HYPERPARAMETERS, SupervisedJob
from tests.component.corpus_job import States, store
from trainer.errors import JobError
from trainer.jobs import progress

YAML = "name: small\ntask: classifier\ncorpus: {format: csv, path: data.csv, label: stars}\n"
YAML += "tune: {space: {trainer.units: {values: [4, 8]}}}\n"


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> SupervisedJob:
    folder = tmp_path_factory.mktemp("job")
    (folder / "data.csv").write_text("text,stars\n" + "".join(f"text {n},{n % 2}\n" for n in range(200)))
    (folder / "job.yaml").write_text(YAML)
    found = load(folder / "job.yaml")
    assert isinstance(found, SupervisedJob)
    return found


def ran(prepared: PreparedRun) -> States:
    seen = States()
    local.run(prepared, seen)
    return seen


def test_the_reported_states_are_those_of_ml_metadata(job: SupervisedJob, tmp_path: Path) -> None:
    made = dict.fromkeys(("CorpusExampleGen", "StatisticsGen", "PreviousStatistics"), ("done", "COMPLETE"))
    cached = {**dict.fromkeys(made, ("cached", "CACHED")), "PreviousStatistics": ("done", "COMPLETE")}
    for run_id, use_cache, expected in (("1", True, made), ("2", True, cached), ("3", False, made)):
        prepared = prepare(job, tmp_path, run_id, until="PreviousStatistics", use_cache=use_cache)
        assert set(prepared.components) == made.keys()
        assert list(ran(prepared).items()) == [(name, expected[name][0]) for name in prepared.components]
        assert lineage.read_run(prepared.metadata, "small", run_id).keys() == made.keys()
        metadata = store(tmp_path)
        run = metadata.get_context_by_type_and_name("pipeline_run", run_id)
        states = [mlmd.Execution.State.Name(one.last_known_state) for one in metadata.get_executions_by_context(run.id)]
        assert sorted(states) == sorted(state for _, state in expected.values())


def test_a_component_that_fails_ends_the_run_with_its_own_error(job: SupervisedJob, tmp_path: Path) -> None:
    prepared = prepare(job, tmp_path, "1", until="StatisticsGen")
    sources = dataclasses.replace(prepared.sources, corpus=(SplitPattern(ALL_SPLITS, f"{tmp_path}/none.csv"),))
    seen = States()
    with pytest.raises(JobError, match="corpus"):
        local.run(dataclasses.replace(prepared, sources=sources), seen)
    assert seen == {"CorpusExampleGen": "running"}


def test_a_component_without_inputs_does_not_count_as_run(job: SupervisedJob, tmp_path: Path) -> None:
    assert job.tune is not None
    tuned = job.model_copy(update={"tune": job.tune.model_copy(update={"use": True})})
    prepared = dataclasses.replace(prepare(job, tmp_path, "1"), job=tuned, until=BEST_HYPERPARAMETERS)
    with pytest.raises(JobError, match="BestHyperparameters did not complete") as caught:
        ran(prepared)
    assert (caught.value.found, "missing inputs" in str(caught.value.fix)) == ("state FAILED", True)


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    """Interrupts that handle Ctrl-C, however the tests were started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    made = Interrupts()
    with made.handled():
        yield made
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def watch(tmp_path: Path, interrupts: Interrupts) -> Iterator[Watch]:
    """A watch whose component One runs."""
    progress.logger.setLevel(logging.INFO)
    console = RunConsole(Console(file=io.StringIO()))
    made = Watch(
        history.new_run(tmp_path, "small"),
        functools.partial(history.write, tmp_path),
        console,
        ["One", "Two"],
        interrupts,
    )
    with made.following(["One", "Two"]):
        made.started("One")
        yield made


def test_an_interrupt_waits_for_the_end_of_a_step(watch: Watch) -> None:
    progress.working("step 1", [2, 3])
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        progress.working("step 2", [2, 3])


def test_an_interrupt_waits_for_the_end_of_the_last_computation(watch: Watch) -> None:
    progress.working("export")
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        watch.ended("One", ComponentState.DONE)
    assert watch.record.components[0].state is ComponentState.DONE


def test_an_interrupt_does_not_wait_for_what_need_not_end(watch: Watch) -> None:
    progress.working("step 1", [2, 3])
    progress.working("a fit", whole=False)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_does_not_wait_in_the_next_component(watch: Watch) -> None:
    progress.working("export")
    watch.ended("One", ComponentState.DONE)
    watch.started("Two")
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_watch_saves_every_change_and_shows_warnings(tmp_path: Path) -> None:
    file = io.StringIO()
    console = RunConsole(Console(file=file, width=100))
    watch = Watch(
        history.new_run(tmp_path, "small"),
        functools.partial(history.write, tmp_path),
        console,
        ["One", "Two", "Three"],
        Interrupts(),
    )

    def states() -> list[tuple[str, int | None]]:
        (run,) = history.read_all(tmp_path)
        return [(component.state.value, component.records) for component in run.components]

    with watch.following(["One", "Two"]):
        watch.started("One")
        assert states() == [("running", None), ("waiting", None), ("skipped", None)]
        progress.logger.setLevel(logging.INFO)
        progress.report(7, None, "records")
        logging.getLogger("seqloom.trainer").warning("It is %s.", "late")
        watch.ended("One", ComponentState.DONE)
        watch.started("Two")
    watch.stop(ComponentState.FAILED)
    assert states() == [("done", 7), ("failed", None), ("skipped", None)]
    assert "Warning: It is late." in file.getvalue().splitlines()
