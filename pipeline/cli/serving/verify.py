"""`seqloom verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import UsedRoot
from pipeline.console.printing import echo
from pipeline.runs.record import read_all
from pipeline.runs.state import RunState


def verify(
    root: UsedRoot,
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
        from pipeline.cli.serving.serving_versions import published_versions, require_version

        found = published_versions(root)
        chosen = found if version is None else [require_version(found, version)]
    whole = True
    for one in chosen:
        if not fingerprints.exist(one.folder):
            echo(f"{one.number}: cannot be verified, since it has no {fingerprints.FINGERPRINTS}")
            whole = False
            continue
        changes = fingerprints.differences(one.folder)
        whole = whole and not changes
        echo(f"{one.number}: {'; '.join(changes) or 'unchanged since it was published'}")
    raise typer.Exit(0 if whole else RunState.FAILED.exit_code)
