"""What a run computes with, in a file next to its record: ML Metadata has only digests of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline.config.job import Job
from pipeline.config.secrets import masked_flags
from pipeline.dag.code_state import CodeState
from pipeline.runs import disk
from pipeline.runs.prepare import code_states
from pipeline.runs.record import run_dir

_FILE = "conditions.json"


class Conditions(BaseModel):
    """What a run computes with.

    Attributes:
        code: The code behind each component.
        beam: Beam's flags, with masks in place of secrets; of a run by steps, those of its last step.
    """

    model_config = ConfigDict(frozen=True)

    code: dict[str, CodeState]
    beam: tuple[str, ...]

    def code_behind(self, digest: str | None) -> CodeState | None:
        """Returns the code with a digest, None if it is not that of any component."""
        return next((state for state in self.code.values() if state.digest == digest), None)


def of_job(job: Job, beam: Sequence[str]) -> Conditions:
    """Returns the conditions of a run that starts now; `beam` has all its Beam flags."""
    return Conditions(code=code_states(job), beam=masked(beam))


def masked(flags: Sequence[str]) -> tuple[str, ...]:
    """Returns Beam's flags as conditions hold them."""
    return tuple(masked_flags(flags))


def write(conditions: Conditions, root: Path, run_id: str) -> None:
    """Writes the conditions of a run."""
    disk.write(run_dir(root, run_id) / _FILE, conditions.model_dump_json(indent=1).encode())


def read(root: Path, run_id: str) -> Conditions | None:
    """Returns the conditions of a run; None if its folder is gone, or an earlier version ran it."""
    try:
        return Conditions.model_validate(json.loads((run_dir(root, run_id) / _FILE).read_bytes()))
    except (OSError, ValueError):
        return None
