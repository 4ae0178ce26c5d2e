"""`seqloom rollback`."""

from __future__ import annotations

import getpass
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import UsedRoot
from pipeline.console.printing import echo
from pipeline.dag.layout import Layout
from pipeline.runs import disk
from pipeline.runs.record import read_all
from pipeline.runs.state import RunState
from trainer.errors import JobError

if TYPE_CHECKING:
    from components.pusher.serving_history import HistoryEntry
    from pipeline.cli.serving.serving_versions import ServingVersion

_LOAD = "import sys, tensorflow as tf; tf.saved_model.load(sys.argv[1])"


def rollback(
    root: UsedRoot,
    why: Annotated[str, typer.Option("--why", metavar="REASON", help="The reason, for the history.")],
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="VERSION", help="The version to go back to.", show_default="the model before"),
    ] = None,
) -> None:
    """Publishes an earlier version again as the newest one, which servers load.

    Later runs do not publish the replaced model again, and do not compare others with it.

    Exit codes: 0 done; 1 the version is damaged or cannot be loaded; 2 usage error.
    """
    with exits_with(USAGE):
        if not why.strip():
            raise JobError("The reason is empty.", where="--why")
        read_all(root)  # TensorFlow is imported only after the command line has been checked.
        from components.pusher.version_fingerprints import require_unchanged
        from pipeline.cli.serving.serving_versions import published_versions, require_version, version_before

        found = published_versions(root)
        target = version_before(found) if to is None else require_version(found, to)
        if target.newest:
            raise JobError("The version is the newest one already.", where="--to", found=str(to))
    with exits_with(RunState.FAILED.exit_code):
        require_unchanged(target.folder)
        _require_loads(target.folder)
        entry = _restored(root, target, why)
    echo(f"Version {entry.version} is served now: version {target.number} again, in place of {entry.previous}.")
    undo = ["seqloom", "rollback", str(root), "--to", str(entry.previous), "--why", "..."]
    echo(f"To undo it: {shlex.join(undo)}")


def _restored(root: Path, target: ServingVersion, why: str) -> HistoryEntry:
    import tensorflow as tf

    from components.pusher.publish import restore

    try:
        return restore(Layout(root).serving, target.number, why, _user())
    except (OSError, tf.errors.OpError) as error:
        raise disk.full_or_refused(error, root.absolute()) or JobError(
            "The version cannot be copied.", where=target.folder, found=str(error)
        ) from error


def _require_loads(folder: str) -> None:
    """Checks that TensorFlow loads a model in a process that has nothing of this project."""
    command = [sys.executable, "-I", "-c", _LOAD, str(Path(folder).resolve())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - own interpreter
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise JobError("The version cannot be loaded.", where=folder, found=lines[-1] if lines else "no message")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # A user without a name, as in containers.
        return "unknown"
