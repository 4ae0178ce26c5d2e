"""Ctrl-C in the places in which Python or a library makes something else of it."""

import concurrent.futures
import io
import os
import signal
from collections.abc import Iterator

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from rich.console import Console

from pipeline.console.live import RunConsole
from pipeline.runners import job_run
from pipeline.runners.local_beam import LOCAL_BEAM
from pipeline.runs import record as history
from pipeline.tasks.loading import load


@pytest.fixture(autouse=True)
def python_handler() -> Iterator[None]:
    """Python's own handler, however the tests were started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def job(tmp_path):
    (tmp_path / "data.csv").write_text("text,stars\n" + "".join(f"text {n},{n % 2}\n" for n in range(20)))
    (tmp_path / "job.yaml").write_text(
        "name: small\ntask: classifier\ncorpus: {format: csv, path: data.csv, label: stars}\n"
    )
    return load(tmp_path / "job.yaml")


def press(_: object = None) -> int:
    os.kill(os.getpid(), signal.SIGINT)
    return sum(range(1_000))


def in_a_dofn(*_):
    with beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM))) as pipeline:
        pipeline | beam.Create([1]) | beam.Map(press)


def in_another_thread(*_):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(press).result()
        pool.submit(sum, [1]).result()


def in_an_import(*_):
    try:
        press()
    except BaseException as error:
        raise ImportError("cannot import name x") from error


def in_a_component(_, watch):
    watch.started("Trainer")
    press()


@pytest.mark.parametrize("runner", [in_a_dofn, in_another_thread, in_an_import, in_a_component])
def test_a_run_is_interrupted_wherever_ctrl_c_arrives(job, tmp_path, runner):
    root, output = tmp_path / "root", io.StringIO()
    with pytest.raises(KeyboardInterrupt), RunConsole(Console(file=output, width=100)) as console:
        job_run.run(job, root=root, until=None, use_cache=True, console=console, runner=runner)
    (record,) = history.read_all(root)
    assert (record.state.value, record.error) == ("interrupted", None)
    assert "failed" not in output.getvalue()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not (root / "tmp").exists()
