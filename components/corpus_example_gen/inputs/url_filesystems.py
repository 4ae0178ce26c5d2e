"""Beam's filesystems of URLs, and the extras that install them; imports no TFX."""

from __future__ import annotations

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from trainer.errors import JobError

_EXTRAS = {"gs": "apache-beam[gcp]", "s3": "apache-beam[aws]", "azfs": "apache-beam[azure]", "hdfs": "hdfs"}


def require_filesystem(pattern: str) -> None:
    """Checks that Beam has a filesystem for a URL.

    Raises:
        JobError: If it has none.
    """
    try:
        FileSystems.get_filesystem(pattern)
    except (ValueError, BeamIOError) as error:
        scheme = FileSystems.get_scheme(pattern)
        extra = _EXTRAS.get(scheme or "")
        known = ", ".join(f"{name}://" for name in _EXTRAS)
        local = "Write a local path without file://." if scheme == "file" else f"Use one of {known} or a local path."
        raise JobError(
            f"The filesystem of {scheme}:// is not installed." if extra else f"Beam has no filesystem for {scheme}://.",
            where=pattern,
            found=f"a URL that starts with {scheme}://",
            expected="the URL of a filesystem that Beam supports",
            fix=f"pip install '{extra}'" if extra else local,
        ) from error
