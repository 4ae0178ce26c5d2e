"""The part of Kubernetes that runs pods: its API as a server, and their containers as processes of this machine."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_PODS = "/api/v1/namespaces/default/pods"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cluster(ThreadingHTTPServer):
    """Runs the pods that it is asked for.

    Attributes:
        volume: The folder that stands for the volume of every claim.
        pods: The pods by name, also those that were deleted.
    """

    daemon_threads = True

    def __init__(self, volume: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.volume = volume
        self.pods: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()
        self.output: dict[str, list[str]] = {}

    def configuration(self) -> str:
        """A kubeconfig."""
        address = f"http://127.0.0.1:{self.server_address[1]}"
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "here", "cluster": {"server": address}}],
                "users": [{"name": "me", "user": {}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                "current-context": "here",
            }
        )

    def run(self, pod: dict[str, Any]) -> None:
        """Runs the only container of a pod to its end."""
        (container,) = pod["spec"]["containers"]
        (mount,) = container["volumeMounts"]
        path = rf"{re.escape(mount['mountPath'])}(?=/|$)"
        command = [re.sub(path, str(self.volume), word) for word in (*container["command"], *container["args"])]
        done = subprocess.run(
            command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        self.output[pod["metadata"]["name"]] = done.stdout.splitlines()
        ended = {"exitCode": done.returncode % 256, "startedAt": _now(), "finishedAt": _now()}
        pod["status"] = {
            "phase": "Failed" if done.returncode else "Succeeded",
            "containerStatuses": [_status(container, {"terminated": ended})],
        }


def _status(container: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    known = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
    return {**known, "ready": "running" in state, "state": state}


class _Answers(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == _PODS:
            alive = [pod for name, pod in self.server.pods.items() if name not in self.server.deleted]
            found = [pod for pod in alive if _selects(query.get("labelSelector", ""), pod["metadata"]["labels"])]
            self._answer({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": found})
        elif address.path.endswith("/log"):
            lines = self.server.output.get(address.path.split("/")[-2], [])
            self._send("".join(f"{_now()} {line}\n" for line in lines).encode(), "text/plain")
        elif address.path.startswith(_PODS):
            self._answer(self.server.pods[address.path.rpartition("/")[2]])
        else:
            self._answer({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": []})

    def do_POST(self) -> None:
        pod = self._body()
        pod["status"] = {"phase": "Running", "containerStatuses": []}
        pod["status"]["containerStatuses"] = [_status(pod["spec"]["containers"][0], {"running": {"startedAt": _now()}})]
        pod["metadata"] |= {"uid": pod["metadata"]["name"], "creationTimestamp": _now()}
        self.server.pods[pod["metadata"]["name"]] = pod
        threading.Thread(target=self.server.run, args=(pod,)).start()
        self._answer(pod)

    def do_PATCH(self) -> None:
        pod = self.server.pods[self.path.partition("?")[0].rpartition("/")[2]]
        pod["metadata"]["labels"] |= self._body()["metadata"]["labels"]
        self._answer(pod)

    def do_DELETE(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        self.server.deleted.add(name)
        self._answer(self.server.pods[name])

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, content: Any) -> None:
        self._send(json.dumps(content).encode(), "application/json")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Prints nothing."""


def _selects(selector: str, labels: dict[str, str]) -> bool:
    """Whether labels fit all conditions, of the forms `name=value`, `name!=value` and `!name`."""
    for condition in filter(None, selector.split(",")):
        name, operator, value = re.fullmatch(r"!?([^=!]+)(!?=*)(.*)", condition).groups()
        if condition.startswith("!"):
            fits = name not in labels
        else:
            fits = (labels.get(name) == value) != operator.startswith("!")
        if not fits:
            return False
    return True


@contextlib.contextmanager
def cluster(volume: Path) -> Iterator[Cluster]:
    """Serves until the end of the block."""
    with Cluster(volume) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
