"""What an engine lacks is named before anything runs, and faults that pass are told from those that do not."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pipeline.dag.code_hash import source_hash
from pipeline.runners.engines.faults import recognized
from pipeline.runners.engines.preflight import ready
from pipeline.runners.engines.probe import reported, require_same, this_process
from pipeline.runners.engines.servers import job_server
from pipeline.runs.prepare import PreparedRun, prepare
from pipeline.tasks.loading import load
from trainer.errors import JobError, TransientError

REPO = Path(__file__).resolve().parents[3]
GO = "go install github.com/apache/beam/sdks/v2/go/cmd/prism@v"
DATAFLOW = "engine: dataflow, project: p, region: r, temp_location: gs://bucket/t, image: i"


@pytest.fixture
def prepared(tmp_path: Path) -> PreparedRun:
    (tmp_path / "corpus.txt").write_text("a\n")
    (tmp_path / "job.yaml").write_text("name: job\ntask: dataset\ncorpus: {format: text, path: corpus.txt}\n")
    (tmp_path / "root").mkdir()
    return prepare(load(tmp_path / "job.yaml"), tmp_path / "root", "1")


def with_engine(prepared: PreparedRun, section: str) -> PreparedRun:
    folder = prepared.job.folder
    (folder / "job.yaml").write_text(
        f"name: job\ntask: dataset\ncorpus: {{format: text, path: corpus.txt}}\nbeam: {{{section}}}\n"
    )
    return dataclasses.replace(prepared, job=load(folder / "job.yaml"))


def refusal(prepared: PreparedRun, section: str) -> JobError:
    with pytest.raises(JobError) as caught:
        ready(with_engine(prepared, section))
    return caught.value


@contextlib.contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("localhost", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with listening() as port:
        return port


def program(folder: Path, text: str) -> Path:
    path = folder / "prism"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_prism_is_looked_for_on_the_path_and_never_downloaded(
    prepared: PreparedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refusal(prepared, "engine: prism")
    assert (error.what, error.where) == ("Prism is not installed.", "beam.engine")
    assert str(error.fix).startswith(GO)
    error = refusal(prepared, "engine: prism, prism: bin/prism")
    assert error.found == str(tmp_path / "bin/prism")


def test_another_program_with_the_name_of_prism_is_refused(
    prepared: PreparedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = program(tmp_path, "echo usage: prism mock api.yaml")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    error = refusal(prepared, "engine: prism")
    assert (error.what, error.found) == ("The program prism is not Beam's.", str(other))


def test_a_prism_is_accepted_by_its_absolute_path(prepared: PreparedRun, prism: str) -> None:
    flags = ready(with_engine(prepared, f"engine: prism, prism: {prism}"))
    assert f"--prism_location={prism}" in flags


@pytest.mark.parametrize("engine", ["portable", "flink", "spark"])
def test_a_job_server_that_does_not_listen_is_named(prepared: PreparedRun, engine: str) -> None:
    port = closed_port()
    error = refusal(prepared, f"engine: {engine}, endpoint: localhost:{port}")
    assert (error.what, error.where) == ("The job server cannot be reached.", "beam.endpoint")
    assert str(error.found).startswith(f"localhost:{port}: ")


def test_a_pool_of_workers_on_this_machine_that_does_not_listen_is_named(prepared: PreparedRun) -> None:
    port = closed_port()
    with listening() as server:
        error = refusal(prepared, f"engine: portable, endpoint: localhost:{server}, workers: localhost:{port}")
    assert (error.what, error.where) == ("The pool of workers cannot be reached.", "beam.workers")
    assert f"worker_pool_main --service_port {port}" in str(error.fix)


def test_the_jar_java_and_the_cluster_are_checked(
    prepared: PreparedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = f"engine: flink, jar: server.jar, master: 'localhost:{closed_port()}'"
    error = refusal(prepared, section)
    assert (error.what, error.found) == ("The job server's jar is missing.", str(tmp_path / "server.jar"))
    assert "beam-runners-flink-1.20-job-server-" in str(error.expected)
    (tmp_path / "server.jar").write_text("<html>404</html>")
    assert refusal(prepared, section).what == "The job server's file is not a jar."
    with zipfile.ZipFile(tmp_path / "server.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    with monkeypatch.context() as without_java:
        without_java.setenv("PATH", str(tmp_path))
        assert refusal(prepared, section).what == "The job server needs Java, which is not installed."
    (tmp_path / "java").write_text("#!/bin/sh\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert refusal(prepared, section).what == "The cluster cannot be reached."
    spark = section.replace("flink", "spark").replace("'localhost", "'spark://localhost")
    assert refusal(prepared, spark).what == "The cluster cannot be reached."


def test_dataflow_needs_credentials(prepared: PreparedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    error = refusal(prepared, DATAFLOW)
    assert (error.what, error.fix) == ("Google Cloud has no credentials.", "gcloud auth application-default login")
    assert "none.json" in str(error.found)


def test_the_local_engine_needs_nothing(prepared: PreparedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "--direct_num_workers=1" in ready(prepared)


def test_a_worker_that_differs_reports_itself(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.touch()
    here = this_process(str(seen))
    assert here == (f"{sys.version_info[0]}.{sys.version_info[1]}", here.code, True)
    require_same(here, str(seen))
    for expected, file in (
        (here._replace(python="2.7"), seen),
        (here._replace(code="0"), seen),
        (here, tmp_path / "unseen"),
    ):
        with pytest.raises(RuntimeError) as caught:
            require_same(expected, str(file))
        assert reported(f"stage failed: {caught.value} [while running Map]") == this_process(str(file))
    assert reported("stage failed") is None


@pytest.mark.slow
@pytest.mark.parametrize("difference", ["none", "no code", "other code", "hidden root"])
def test_workers_that_cannot_do_the_work_are_named(
    prepared: PreparedRun, tmp_path: Path, prism: str, difference: str
) -> None:
    code, pool, root = tmp_path / "code", [], prepared.layout.root
    if difference != "no code":
        for package in ("pipeline", "components", "trainer", "schema"):
            shutil.copytree(REPO / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
    code.mkdir(exist_ok=True)
    if difference == "other code":
        with (code / "components" / "sequence_transform" / "writer.py").open("a") as file:
            file.write("# Another version.\n")
    if difference == "hidden root":
        hide = f'mount -t tmpfs none {root} && exec "$@"'
        pool = ["unshare", "--mount", "sh", "-c", hide, "sh"]
        if subprocess.run([*pool, "true"], capture_output=True, check=False).returncode:
            pytest.skip("this machine does not allow mounts of their own to a process")
    expected = {
        "none": None,
        "no code": "The workers do not have seqloom.",
        "other code": "The workers have another version of seqloom.",
        "hidden root": "The workers cannot see the root.",
    }[difference]
    # Without `site`, Python does not find seqloom if it is installed in place.
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    packages = f"{code}:{sysconfig.get_paths()['purelib']}"
    environment = {**os.environ, "PYTHONPATH": packages, "PYTHONSAFEPATH": "1"}
    environment["PATH"] = f"{python.parent}:{environment['PATH']}"
    port = closed_port()
    pool += [str(python), "-m", "apache_beam.runners.worker.worker_pool_main", "--service_port", str(port)]
    with (
        job_server(["--runner=PrismRunner", f"--prism_location={prism}"]) as (endpoint,),
        subprocess.Popen(pool, cwd=code, env=environment, stderr=subprocess.DEVNULL) as process,
    ):
        try:
            while process.poll() is None:
                with contextlib.suppress(OSError):
                    socket.create_connection(("localhost", port)).close()
                    break
            section = f"engine: portable, endpoint: {endpoint.partition('=')[2]}, workers: localhost:{port}"
            if expected is None:
                assert "--environment_type=EXTERNAL" in ready(with_engine(prepared, section))
            else:
                assert refusal(prepared, section).what == expected
        finally:
            process.terminate()


def test_a_job_server_ends_with_its_block_and_with_its_process(tmp_path: Path) -> None:
    fake = program(tmp_path, f'echo $$ > {tmp_path}/pid; exec {sys.executable} -m http.server "$2"')
    flags = ["--runner=PrismRunner", f"--prism_location={fake}"]
    with job_server(flags) as (endpoint,):
        host, _, port = endpoint.removeprefix("--job_endpoint=").partition(":")
        socket.create_connection((host, int(port))).close()
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    killed = (
        f"import os; from pipeline.runners.engines.servers import job_server\nwith job_server({flags}): os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", killed], cwd=REPO, check=True)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int((tmp_path / "pid").read_text())).wait(60)


def test_no_server_is_started_where_none_is_needed() -> None:
    for flags in (["--runner=FnApiRunner"], ["--runner=PrismRunner", "--job_endpoint=localhost:1"], []):
        with job_server(flags) as more:
            assert more == ()


@pytest.mark.parametrize(
    ("engine", "error", "passes"),
    [
        ("portable", RuntimeError("bundle inst010 failed:SDK worker disconnected: worker[job-005]"), True),
        ("portable", RuntimeError("Pipeline job failed in state FAILED: Channel closed prematurely."), True),
        ("flink", RuntimeError("StatusCode.UNAVAILABLE"), True),
        ("prism", RuntimeError("ValueError: bad document [while running 'Read']"), False),
        ("prism", JobError("The corpus mentions that an SDK worker disconnected."), False),
        ("local", RuntimeError("SDK worker disconnected"), False),
    ],
)
def test_faults_that_pass_are_recognized(engine: str, error: Exception, passes: bool, prepared: PreparedRun) -> None:
    beam = prepared.job.beam.model_copy(update={"engine": engine})
    with pytest.raises(TransientError if passes else type(error)) as caught, recognized(beam):
        raise error
    assert passes == isinstance(caught.value, TransientError)
    assert passes == (caught.value is not error)


def test_the_code_of_workers_is_that_of_all_components_on_beam() -> None:
    from pipeline.runners.engines import probe

    assert this_process("").code == source_hash(*probe._MODULES)


class Storage(http.server.BaseHTTPRequestHandler):
    """The answers of Google's token service, and of its storage for two buckets."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})

    def do_GET(self) -> None:
        bucket = self.path.partition("/b/")[2].partition("?")[0]
        known = {"mine": (200, {"id": "mine", "name": "mine"}), "others": (403, {"error": {"message": "forbidden"}})}
        self.answer(*known.get(bucket, (404, {"error": {"message": "unknown"}})))

    def answer(self, code: int, value: dict) -> None:
        content = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials of a service account whose services are a server of this test."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with http.server.ThreadingHTTPServer(("localhost", 0), Storage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_port}"
        account = {"type": "service_account", "client_email": "a@p", "project_id": "p", "token_uri": f"{address}/token"}
        (tmp_path / "key.json").write_text(json.dumps({**account, "private_key": key.decode()}))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        monkeypatch.setenv("HTTPS_PROXY", f"http://localhost:{closed_port()}")  # Nothing leaves this machine.
        yield
        server.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(("bucket", "found"), [("none", "none: no such bucket"), ("others", "others: 403")])
def test_a_bucket_that_is_missing_or_forbidden_is_named(prepared: PreparedRun, bucket: str, found: str) -> None:
    error = refusal(prepared, DATAFLOW.replace("bucket", bucket))
    assert (error.what, error.where) == ("The bucket cannot be used.", "beam.temp_location")
    assert str(error.found).startswith(found)
