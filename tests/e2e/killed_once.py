"""Runs a command, but the first time that it trains it is killed after an epoch, and this process with it.

usage: killed_once.py MARK COMMAND...; the file MARK says that it has happened.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    mark, command = Path(sys.argv[1]), sys.argv[2:]
    if command[-1] != "Trainer" or mark.exists():
        os.execvp(command[0], command)
    mark.touch()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line.startswith("Trainer: epoch 1/") for line in process.stdout)
        process.kill()
    os.kill(os.getpid(), signal.SIGKILL)
