"""Job servers that run for one component: Prism, and those of Flink and Spark.

Beam's own runners start them, too, but until the end of the process: they take over Ctrl-C, which also reaches the
server directly, and leave it running if the process is killed or its folder of temporary files is gone.
"""

from __future__ import annotations

import contextlib
import importlib
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence

from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions, StandardOptions

from trainer.errors import JobError

_SERVERS = {
    "PrismRunner": "prism_runner.PrismJobServer",
    "FlinkRunner": "flink_runner.FlinkJarJobServer",
    "SparkRunner": "spark_runner.SparkJarJobServer",
}
"""Beam's classes that know how to start each server; imported only when they are used."""

_UNTIL_INPUT_ENDS = '"$@" & server=$!; read -r _; kill $server; wait $server'
"""A script whose command also ends when the process that holds the script's input is killed."""

_SECONDS_TO_START = 60


@contextlib.contextmanager
def job_server(flags: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Runs the job server that Beam's flags need, if any, during a block; yields flags to add.

    Raises:
        JobError: If it does not start.
    """
    options = PipelineOptions(list(flags))
    runner = str(options.view_as(StandardOptions).runner)
    if runner not in _SERVERS or options.view_as(PortableOptions).job_endpoint:
        yield ()
        return
    module, _, name = _SERVERS[runner].partition(".")
    server = getattr(importlib.import_module(f"apache_beam.runners.portability.{module}"), name)
    command, endpoint = server(options).subprocess_cmd_and_endpoint()
    script = ["/bin/sh", "-c", _UNTIL_INPUT_ENDS, "sh", *map(str, command)]
    # A session of its own, so that Ctrl-C does not reach it.
    with subprocess.Popen(script, stdin=subprocess.PIPE, start_new_session=True):  # noqa: S603
        _wait_for(endpoint, command[0])
        yield (f"--job_endpoint={endpoint}",)


def _wait_for(endpoint: str, program: str) -> None:
    host, _, port = endpoint.rpartition(":")
    end = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError as error:
            if time.monotonic() > end:
                fix = "see the log, which has what it printed"
                raise JobError("The job server has not started.", where=program, found=str(error), fix=fix) from error
            time.sleep(0.05)
        else:
            return
