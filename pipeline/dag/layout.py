"""The files and folders below the root of a run."""

from __future__ import annotations

from pathlib import PurePath


class Layout:
    """The files and folders below the root of the runs of one job.

    Attributes:
        root: The root.
        artifacts: TFX's pipeline root.
        metadata: The SQLite file of ML Metadata.
        identity: The id of the root in a store on a server.
        inputs: The list of the corpus's files, the hashes of their contents, and the files behind each fingerprint.
        counts: The counts of the words of each span of a rolling window.
        quarantine: Bad records.
        checkpoints: States of unfinished training runs.
        tuning: States of unfinished hyperparameter searches.
        serving: Published versions.
        temporary: Temporary files of the run in progress.
    """

    def __init__(self, root: PurePath) -> None:
        self.root = root
        self.artifacts = str(root / "artifacts")
        self.metadata = str(root / "metadata.sqlite")
        self.identity = str(root / "store.json")
        self.inputs = str(root / "inputs")
        self.counts = str(root / "counts")
        self.quarantine = str(root / "quarantine")
        self.checkpoints = str(root / "checkpoints")
        self.tuning = str(root / "tuning")
        self.serving = str(root / "serving")
        self.temporary = str(root / "tmp")
