"""Where Beam's pipelines run."""

from __future__ import annotations

from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

_IN_PROCESS = ("DirectRunner", "FnApiRunner")


def runs_in_process(flags: Sequence[str]) -> bool:
    """Whether Beam's flags name a runner of this process, so that a plain loop over few documents costs less.

    Other engines do all the work, whatever its size.
    """
    runner = PipelineOptions(list(flags)).view_as(StandardOptions).runner
    return runner is None or runner.rpartition(".")[2] in _IN_PROCESS
