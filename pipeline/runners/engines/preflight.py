"""Checks before a run that its engine can start and that its workers see what they need."""

from __future__ import annotations

import functools
import shutil
import socket
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from apache_beam.version import __version__ as beam_version

from pipeline.config.beam_settings import BeamSettings
from pipeline.config.job import Job
from pipeline.config.locations import absolute_path
from pipeline.runners.engines.flags import beam_flags
from pipeline.runners.engines.probe import WorkerFacts, reported, require_same, this_process
from pipeline.runners.engines.servers import job_server
from pipeline.runs.prepare import PreparedRun
from trainer.errors import JobError

_SECONDS_TO_CONNECT = 5
_SECONDS_FOR_WORKERS = {"dataflow": 1_200}
_DEFAULT_SECONDS = 180
_THIS_MACHINE = ("localhost", "127.0.0.1")
_JARS = {"flink": "flink-1.20", "spark": "spark-3"}
_JOB_SERVER = "start the job server, or correct the address"


def ready(prepared: PreparedRun) -> tuple[str, ...]:
    """Returns Beam's flags for a prepared run, once its engine is found to be ready.

    Raises:
        JobError: If the engine, a file, credentials or a worker is missing, or the workers differ from this process.
    """
    job, flags = prepared.job, flags_of(prepared.job)
    beam = job.beam
    require_servers(beam)
    if beam.engine == "dataflow":
        _require_google_cloud(beam)
    if not beam.here:
        _require_same_workers(beam, [*flags, *job.beam.options], Path(prepared.layout.temporary))
    return flags


def flags_of(job: Job) -> tuple[str, ...]:
    """Returns Beam's flags for a job, once the programs of its engine are found; they are part of TFX's cache key.

    Raises:
        JobError: If a program is missing.
    """
    return beam_flags(_with_programs(job.beam, job.folder))


def _with_programs(beam: BeamSettings, folder: Path) -> BeamSettings:
    """Returns the settings with the absolute paths of the programs that they need."""
    if beam.engine == "prism":
        return beam.model_copy(update={"prism": _prism(beam, folder)})
    if beam.jar is None:
        return beam
    jar = absolute_path(beam.jar, folder, where="beam.jar")
    if not zipfile.is_zipfile(jar):
        raise JobError(
            "The job server's jar is missing." if not jar.exists() else "The job server's file is not a jar.",
            where="beam.jar",
            found=str(jar),
            expected=f"beam-runners-{_JARS[beam.engine]}-job-server-{beam_version}.jar, from a Maven repository",
        )
    if shutil.which("java") is None:
        what = "The job server needs Java, which is not installed."
        raise JobError(what, where="beam.jar", found="no java on the PATH", fix="install Java 11 or 17")
    return beam.model_copy(update={"jar": str(jar)})


def _prism(beam: BeamSettings, folder: Path) -> str:
    given = beam.prism and str(absolute_path(beam.prism, folder, where="beam.prism"))
    program = shutil.which(given or "prism")
    fix = f"go install github.com/apache/beam/sdks/v2/go/cmd/prism@v{beam_version}"
    if program is None:
        found = given or "no prism on the PATH"
        raise JobError("Prism is not installed.", where="beam.engine", found=found, fix=fix)
    try:
        shown = subprocess.run([program, "-help"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
        flags = shown.stderr + shown.stdout
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        flags = str(error)
    if "idle_shutdown_timeout" not in flags:
        raise JobError("The program prism is not Beam's.", where="beam.prism", found=program, fix=fix)
    return program


def require_servers(beam: BeamSettings) -> None:
    """Connects to the job server and the cluster, and to the pool of workers if they are on this machine.

    Raises:
        JobError: If one cannot be reached.
    """
    if beam.endpoint is not None:
        _connect(beam.endpoint, "The job server", "beam.endpoint", _JOB_SERVER)
    if beam.master is not None and ":" in beam.master and not beam.master.startswith("["):
        _connect(beam.master.rpartition("/")[2], "The cluster", "beam.master", "start the cluster, or correct it")
    if beam.workers is not None and str(beam.endpoint).partition(":")[0] in _THIS_MACHINE:
        fix = f"python -m apache_beam.runners.worker.worker_pool_main --service_port {beam.workers.partition(':')[2]}"
        _connect(beam.workers, "The pool of workers", "beam.workers", fix)


def _connect(address: str, title: str, where: str, fix: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _SECONDS_TO_CONNECT).close()
    except (OSError, OverflowError, ValueError) as error:
        raise JobError(f"{title} cannot be reached.", where=where, found=f"{address}: {error}", fix=fix) from None


def _require_google_cloud(beam: BeamSettings) -> None:
    """Checks the credentials of this process, and that they open the bucket of temporary files."""
    import google.auth
    from apache_beam.io.gcp.gcsio import GcsIO
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    try:
        google.auth.default()
    except GoogleAuthError as error:
        what, fix = "Google Cloud has no credentials.", "gcloud auth application-default login"
        raise JobError(what, where="beam.engine", found=str(error).splitlines()[0], fix=fix) from None
    bucket = str(beam.temp_location).removeprefix("gs://").partition("/")[0]
    try:
        reason = None if GcsIO().get_bucket(bucket) is not None else "no such bucket"
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        reason = str(error).splitlines()[0]
    if reason is not None:
        raise JobError("The bucket cannot be used.", where="beam.temp_location", found=f"{bucket}: {reason}")


def _require_same_workers(beam: BeamSettings, flags: Sequence[str], folder: Path) -> None:
    """Runs a pipeline of one element, which compares a worker with this process."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        expected = this_process(file.name)
        message = _run_probe(expected, file.name, flags, _SECONDS_FOR_WORKERS.get(beam.engine, _DEFAULT_SECONDS))
    if message is None:
        return
    where = f"beam.{'workers' if beam.workers else 'image'}"
    found = reported(message)
    if found is not None:
        raise _difference(found, expected, where, folder.parent)
    if "ModuleNotFoundError" in message:
        missing = next(line for line in message.splitlines() if "ModuleNotFoundError" in line).strip()[:200]
        fix = "install the same version of seqloom where the workers run"
        raise JobError("The workers do not have seqloom.", where=where, found=missing, fix=fix)
    fix = "see the log of the job server and of the workers; `python` on the workers' PATH must be the one with seqloom"
    raise JobError("The workers cannot run a pipeline of one element.", where=where, found=message[:1000], fix=fix)


def _run_probe(expected: WorkerFacts, file: str, flags: Sequence[str], seconds: int) -> str | None:
    """Returns the text of the pipeline's error, or None."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.runner import PipelineState

    with job_server(flags) as more:
        pipeline = beam.Pipeline(options=PipelineOptions([*flags, *more]))
        _ = pipeline | beam.Create([file], reshuffle=False) | beam.Map(functools.partial(require_same, expected))
        try:
            state = pipeline.run().wait_until_finish(duration=seconds * 1000)
        except Exception as error:  # Every engine has its own.
            return str(error) or type(error).__name__
    return None if state == PipelineState.DONE else f"no answer within {seconds} seconds, state {state}"


def _difference(found: WorkerFacts, expected: WorkerFacts, where: str, root: Path) -> JobError:
    if found.python != expected.python:
        what, seen, wanted = "The workers have another Python.", found.python, expected.python
        fix = "install the same Python where the workers run"
    elif found.code != expected.code:
        what, seen, wanted = "The workers have another version of seqloom.", found.code, expected.code
        fix = "install the same version where the workers run, and restart them"
    else:
        what, seen, wanted = "The workers cannot see the root.", str(root), "a folder with one path on all machines"
        fix = "choose a --root on a shared file system"
    return JobError(what, where=where, found=seen, expected=wanted, fix=fix)
