"""Beam's flags for each engine; a pure function of the settings."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config.beam_settings import BeamSettings
from pipeline.runners.local_beam import LOCAL_BEAM

_RUNNERS = {
    "prism": "PrismRunner",
    "portable": "PortableRunner",
    "flink": "FlinkRunner",
    "spark": "SparkRunner",
    "dataflow": "DataflowRunner",
}


def beam_flags(beam: BeamSettings) -> tuple[str, ...]:
    """Returns the flags of an engine, without the job's own `options`; paths are passed on as they are."""
    if beam.engine == "local":
        return LOCAL_BEAM
    # Without a name of an image, TFX packs itself into an archive for the workers, in every component.
    flags = [f"--runner={_RUNNERS[beam.engine]}", f"--sdk_container_image={beam.image or 'none'}"]
    if beam.engine == "dataflow":
        return (*flags, *_dataflow(beam))
    return (*flags, *_server(beam), *_environment(beam))


def _server(beam: BeamSettings) -> Iterator[str]:
    if beam.prism is not None:
        yield f"--prism_location={beam.prism}"
    if beam.endpoint is not None:
        yield f"--job_endpoint={beam.endpoint}"
    if beam.engine == "flink":
        if beam.jar is not None:
            yield from (f"--flink_master={beam.master}", f"--flink_job_server_jar={beam.jar}")
        if beam.parallelism is not None:
            yield f"--parallelism={beam.parallelism}"
    if beam.engine == "spark":
        if beam.jar is not None:
            yield from (f"--spark_master_url={beam.master}", f"--spark_job_server_jar={beam.jar}")
        if beam.parallelism is not None:
            yield f"--sdk_worker_parallelism={beam.parallelism}"


def _environment(beam: BeamSettings) -> tuple[str, ...]:
    if beam.workers is not None:
        return "--environment_type=EXTERNAL", f"--environment_config={beam.workers}"
    if beam.image is not None:
        return "--environment_type=DOCKER", f"--environment_config={beam.image}"
    return ("--environment_type=LOOPBACK",)


def _dataflow(beam: BeamSettings) -> Iterator[str]:
    yield f"--project={beam.project}"
    yield f"--region={beam.region}"
    yield f"--temp_location={beam.temp_location}"
    if beam.parallelism is not None:
        yield f"--max_num_workers={beam.parallelism}"
    if beam.memory_gb is not None:
        yield f"--resource_hints=min_ram={beam.memory_gb}GB"
