"""The password of a job's metadata store, which no log, record or message may have."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pipeline.config.job import Job
from pipeline.config.locations import resolve_file
from pipeline.config.metadata_settings import PASSWORD_VARIABLE
from pipeline.config.secrets import secrets
from trainer.errors import JobError


def password_of(job: Job) -> str:
    """Returns the password of a job's metadata store, "" if it has none.

    Raises:
        JobError: If its file cannot be read or is empty.
    """
    if job.metadata.password_file is None:
        return os.environ.get(PASSWORD_VARIABLE, "")
    where = "metadata.password_file"
    path = resolve_file(job.metadata.password_file, job.folder, where=where)
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise JobError("The password file cannot be read.", where=where, found=f"{path}: {reason}") from None
    if not password:
        raise JobError("The password file is empty.", where=where, found=str(path))
    return password


def secrets_of(job: Job) -> Iterator[str]:
    """Yields the texts that the log of a job must not have.

    Raises:
        JobError: If the file of a password cannot be read or is empty.
    """
    yield from secrets(job.beam.options)
    if job.metadata.address is not None and (password := password_of(job)):
        yield password
