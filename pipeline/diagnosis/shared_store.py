"""The metadata store on a server: does it answer, and does it have the tables of this version?"""

from __future__ import annotations

from pathlib import Path

from pipeline.config.job import Job
from pipeline.diagnosis.diagnosis import Diagnosis, ok, refused
from trainer.errors import JobError

_NAME = "Metadata store"


def shared_store(job: Job, root: Path) -> Diagnosis:
    """Checks the store of a job whose metadata is on a server; writes nothing into it."""
    # Needed by no other job.
    from pipeline.store import store_schema, stores

    try:
        stores.has_runs(job, root)
        with stores.server_database(job) as database:
            if not store_schema.is_complete(database):
                return ok(_NAME, f"{database.place}, empty; the first run initializes it")
            ((count,),) = database.rows("SELECT COUNT(*) FROM Execution")
    except JobError as error:
        return refused(_NAME, error, "correct the section metadata")
    version = store_schema.own_schema().version
    return ok(_NAME, f"{database.place}, schema {version}, {count:,} execution{'s' * (count != 1)}")
