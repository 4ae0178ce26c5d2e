"""`seqloom verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.serving.versions import Root
from pipeline.console.printing import echo
from pipeline.runs.record import read_all
from pipeline.runs.state import RunState


def verify(
    root: Root,
    version: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="A version.", show_default="all versions")
    ] = None,
) -> None:
    """Checks that the files of published versions are those that were published, by their SHA-256.

    Exit codes: 0 all are; 1 a file differs, or a version has no fingerprints; 2 usage error.
    """
    with exits_with(USAGE):
        read_all(root)  # TensorFlow is imported only after the command line has been checked.
        from components.pusher import version_fingerprints as fingerprints
        from components.pusher.publish import versions
        from pipeline.cli.serving.serving_versions import require_version, serving_directory

        directory = serving_directory(root)
        folders = [require_version(directory, one) for one in ([version] if version else versions(directory))]
    whole = True
    for folder in folders:
        name = folder.rpartition("/")[2]
        if not fingerprints.exist(folder):
            echo(f"{name}: cannot be verified, since it has no {fingerprints.FINGERPRINTS}")
            whole = False
            continue
        found = fingerprints.differences(folder)
        whole = whole and not found
        echo(f"{name}: {'; '.join(found)}" if found else f"{name}: unchanged since it was published")
    raise typer.Exit(0 if whole else RunState.FAILED.exit_code)
