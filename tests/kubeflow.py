"""What Kubeflow does with a compiled pipeline, on this machine: its containers as processes, its API as a server."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

_API = "/apis/v2beta1/"
_INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['(\w+)'\]\}\}")


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline of a compiled file, and what Kubernetes adds to its containers."""
    pipeline, platform = yaml.safe_load_all(text)
    return pipeline, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def run(text: str, run_id: str, volume: Path, arguments: Mapping[str, str]) -> dict[str, list[int]]:
    """Runs the containers of a file in the order of its edges, and repeats those that fail as the file says.

    Args:
        text: A compiled file.
        run_id: The id of the run.
        volume: The folder that stands for the volume of the root.
        arguments: The parameters of the run that have no default, or another value.

    Returns:
        The exit codes of the attempts of each task.
    """
    pipeline, mounts = parts(text)
    root = pipeline["root"]
    defaults = {name: one["defaultValue"] for name, one in root["inputDefinitions"]["parameters"].items()}
    assert arguments.keys() <= defaults.keys()
    tasks = root["dag"]["tasks"]
    codes: dict[str, list[int]] = {}
    for name in TopologicalSorter({name: one.get("dependentTasks", ()) for name, one in tasks.items()}).static_order():
        task = tasks[name]
        component = pipeline["components"][task["componentRef"]["name"]]
        container = pipeline["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        (mount,) = mounts[component["executorLabel"]]["pvcMount"]
        sources = task["inputs"]["parameters"]
        assert sources.keys() == component["inputDefinitions"]["parameters"].keys()
        values = {key: _value(source, {**defaults, **arguments}, run_id) for key, source in sources.items()}
        words = [_filled(word, values) for word in (*container["command"], *container["args"])]
        command = [re.sub(rf"{re.escape(mount['mountPath'])}(?=/|$)", str(volume), word) for word in words]
        attempts = _attempts(command, 1 + task["retryPolicy"]["maxRetryCount"])
        codes[task["taskInfo"]["name"]] = attempts
        if attempts[-1] != 0:
            break
    return codes


def _value(source: Mapping[str, Any], values: Mapping[str, str], run_id: str) -> str:
    if "componentInputParameter" in source:
        return values[source["componentInputParameter"]]
    return source["runtimeValue"]["constant"].replace("{{$.pipeline_job_uuid}}", run_id)


def _filled(word: str, values: Mapping[str, str]) -> str:
    filled = _INPUT.sub(lambda match: values[match[1]], word)
    assert "{{" not in filled
    return filled


def _attempts(command: list[str], most: int) -> list[int]:
    codes: list[int] = []
    while len(codes) < most and (not codes or codes[-1] != 0):
        codes.append(subprocess.run(command, cwd="/", capture_output=True, check=False).returncode)
    return codes


class Api(ThreadingHTTPServer):
    """The part of the API that the client of Kubeflow uses; it keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.received: list[tuple[str, dict[str, list[str]], Any]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        known = {
            "healthz": {"multi_user": False},
            "experiments": {"experiments": [{"experiment_id": "e1", "display_name": "daily"}]},
            "pipelines": {"pipelines": [{"pipeline_id": "p1", "display_name": "seqloom-daily"}]},
        }
        self._answer(known[urlsplit(self.path).path.removeprefix(_API)])

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        content = json.loads(body) if kind == "application/json" else _file(body, kind)
        name = address.path.removeprefix(_API)
        self.server.received.append((name, parse_qs(address.query), content))
        ids = {
            "runs": {"run_id": "r1"},
            "recurringruns": {"recurring_run_id": "s1"},
            "pipelines/upload": {"pipeline_id": "p1"},
            "pipelines/upload_version": {"pipeline_id": "p1", "pipeline_version_id": "v2"},
        }
        self._answer(ids[name])

    def _answer(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Prints nothing."""


def _file(body: bytes, kind: str) -> str:
    """The only file of a form."""
    boundary = kind.partition("boundary=")[2].encode()
    (part,) = [part for part in body.split(b"--" + boundary) if b"filename=" in part]
    return part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n").decode()


@contextlib.contextmanager
def api() -> Iterator[Api]:
    """Serves until the end of the block."""
    with Api() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
