"""The redirection of all output of a process while a run is shown."""

import contextlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

NOISE = """
import logging, os, pathlib, subprocess, sys, warnings
from pipeline.console.live import RunConsole
from pipeline.runs.redirect import redirect_output
from pipeline.runs.state import ComponentState
logging.basicConfig(level=logging.WARNING, format="screen %(message)s")
print("before")
with RunConsole() as console:
    try:
        with redirect_output(pathlib.Path(sys.argv[1])):
            console.start(["Trainer"])
            console.component("Trainer", ComponentState.RUNNING)
            print("python out")
            print("python err", file=sys.stderr)
            os.write(1, b"descriptor out\\n")
            os.write(2, b"descriptor err\\n")
            import ctypes
            ctypes.CDLL(None).printf(b"buffered by C\\n")
            subprocess.run(["sh", "-c", "echo child out; echo child err >&2"], check=True)
            logging.getLogger("any").info("logged")
            warnings.warn("warned")
            console.component("Trainer", ComponentState.CACHED)
            if sys.argv[2] == "raise":
                raise ValueError("broken")
    except ValueError as error:
        print("caught", error)
print("after")
os.write(2, b"after err\\n")
logging.warning("after")
logging.info("not shown")
"""


@pytest.mark.parametrize("end", ["return", "raise"])
def test_all_noise_of_a_process_goes_to_the_log(tmp_path, end):
    log = tmp_path / "logs" / "x" / "run.log"
    command = [sys.executable, "-c", NOISE, str(log), end]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    caught = ["caught broken"] if end == "raise" else []
    assert done.stdout.splitlines() == ["before", "Trainer: running", "Trainer: cached", *caught, "after"]
    assert done.stderr.splitlines() == ["after err", "screen after"]
    text = log.read_text()
    for part in ["python out", "python err", "descriptor out", "descriptor err", "buffered by C", "child out"]:
        assert text.count(part) == 1
    assert "child err" in text
    assert re.search(r" I any: logged\n", text)
    assert "UserWarning: warned" in text
    assert "after" not in text


def test_a_real_terminal_shows_the_table_and_no_noise(tmp_path):
    parent, child = pty.openpty()
    log = tmp_path / "run.log"
    environment = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-c", NOISE, str(log), "return"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=child, stderr=child, env=environment,
    )  # fmt: skip
    os.close(child)
    received = b""
    with contextlib.suppress(OSError):  # at the end, when the other side is closed
        while True:
            received += os.read(parent, 65536)
    os.close(parent)
    assert process.wait() == 0
    screen = ESCAPES.sub("", received.decode())
    assert re.search(r"Trainer +cached", screen)
    assert "python" not in screen
    assert "descriptor" not in screen
    assert "python out" in log.read_text()
