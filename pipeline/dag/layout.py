"""The files and folders below the root of a run."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files and folders below the root of a run.

    Attributes:
        root: The root of the runs of one job.
    """

    root: PurePath

    @property
    def artifacts(self) -> str:
        """TFX's pipeline root."""
        return str(self.root / "artifacts")

    @property
    def metadata(self) -> str:
        """The SQLite file of ML Metadata."""
        return str(self.root / "metadata.sqlite")

    @property
    def quarantine(self) -> str:
        """Unreadable records."""
        return str(self.root / "quarantine")

    @property
    def checkpoints(self) -> str:
        """States of unfinished training."""
        return str(self.root / "checkpoints")

    @property
    def tuning(self) -> str:
        """States of unfinished searches for hyperparameters."""
        return str(self.root / "tuning")

    @property
    def serving(self) -> str:
        """Published versions."""
        return str(self.root / "serving")
