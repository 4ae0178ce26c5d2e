"""Names of executors, so that declaring a component does not import what only running it needs."""

from __future__ import annotations

from tfx.dsl.components.base import base_executor, executor_spec


class LateExecutor(executor_spec.ExecutorClassSpec):
    """An executor by its dotted path, which TFX writes into the compiled pipeline and imports when it runs it."""

    def __init__(self, path: str) -> None:
        super().__init__(base_executor.EmptyExecutor)
        self._path = path

    @property
    def class_path(self) -> str:
        """The dotted path."""
        return self._path


class LateBeamExecutor(LateExecutor, executor_spec.BeamExecutorSpec):
    """The same for an executor that runs Beam."""
