"""The flags of each engine, as Beam's own option classes read them."""

from __future__ import annotations

from typing import Any

import pytest
from apache_beam.options import pipeline_options as beam_options
from apache_beam.transforms.resources import resource_hints_from_options

from pipeline.config.beam_settings import BeamSettings
from pipeline.runners.engines.flags import beam_flags
from pipeline.runners.local_beam import LOCAL_BEAM

PORTABLE, WORKER = beam_options.PortableOptions, beam_options.WorkerOptions
FLINK, SPARK = beam_options.FlinkRunnerOptions, beam_options.SparkRunnerOptions
CLOUD, STANDARD = beam_options.GoogleCloudOptions, beam_options.StandardOptions
DATAFLOW = {"project": "p", "region": "europe-west1", "temp_location": "gs://b/t", "image": "r/seqloom:1"}
LOOPBACK = {PORTABLE: {"environment_type": "LOOPBACK"}, WORKER: {"sdk_container_image": "none"}}
CASES: list[tuple[dict[str, Any], dict[type, dict[str, Any]]]] = [
    (
        {"engine": "prism", "prism": "/opt/prism"},
        {
            STANDARD: {"runner": "PrismRunner"},
            beam_options.PrismRunnerOptions: {"prism_location": "/opt/prism"},
            **LOOPBACK,
        },
    ),
    (
        {"engine": "portable", "endpoint": "one:8073", "workers": "two:50000"},
        {
            STANDARD: {"runner": "PortableRunner"},
            PORTABLE: {
                "job_endpoint": "one:8073",
                "environment_type": "EXTERNAL",
                "environment_config": "two:50000",
            },
            WORKER: {"sdk_container_image": "none"},
        },
    ),
    (
        {"engine": "flink", "master": "one:8081", "jar": "/a.jar", "image": "r/seqloom:1", "parallelism": 8},
        {
            STANDARD: {"runner": "FlinkRunner"},
            FLINK: {
                "flink_master": "one:8081",
                "flink_job_server_jar": "/a.jar",
                "parallelism": 8,
                "flink_submit_uber_jar": False,
            },
            PORTABLE: {"job_endpoint": None, "environment_type": "DOCKER", "environment_config": "r/seqloom:1"},
            WORKER: {"sdk_container_image": "r/seqloom:1"},
        },
    ),
    (
        {"engine": "flink", "endpoint": "one:8099"},
        {
            STANDARD: {"runner": "FlinkRunner"},
            FLINK: {"flink_job_server_jar": None, "parallelism": -1},
            PORTABLE: {"job_endpoint": "one:8099", "environment_type": "LOOPBACK"},
        },
    ),
    (
        {"engine": "spark", "master": "spark://one:7077", "jar": "/b.jar", "workers": "two:1", "parallelism": 3},
        {
            STANDARD: {"runner": "SparkRunner"},
            SPARK: {
                "spark_master_url": "spark://one:7077",
                "spark_job_server_jar": "/b.jar",
                "spark_submit_uber_jar": False,
            },
            PORTABLE: {
                "sdk_worker_parallelism": "3",
                "environment_type": "EXTERNAL",
                "environment_config": "two:1",
                "job_endpoint": None,
            },
        },
    ),
    (
        {"engine": "dataflow", **DATAFLOW, "parallelism": 20, "memory_gb": 8},
        {
            STANDARD: {"runner": "DataflowRunner"},
            CLOUD: {"project": "p", "region": "europe-west1", "temp_location": "gs://b/t"},
            WORKER: {"max_num_workers": 20, "sdk_container_image": "r/seqloom:1", "num_workers": None},
            PORTABLE: {"environment_type": None},
        },
    ),
]


@pytest.mark.parametrize(("section", "expected"), CASES)
def test_beam_reads_the_values_of_the_section(section: dict, expected: dict) -> None:
    flags = beam_flags(BeamSettings.model_validate(section))
    options = beam_options.PipelineOptions(list(flags))
    for view, values in expected.items():
        read = options.view_as(view)
        assert {name: getattr(read, name) for name in values} == values


@pytest.mark.parametrize("section", [section for section, _ in CASES])
def test_beam_knows_every_flag(section: dict) -> None:
    flags = beam_flags(BeamSettings.model_validate(section))
    options = beam_options.PipelineOptions(list(flags))
    unknown = beam_options.PipelineOptions(["--surely_unknown=1"])
    assert "surely_unknown" in unknown.get_all_options(retain_unknown_options=True)
    known = options.get_all_options().keys()
    assert options.get_all_options(retain_unknown_options=True).keys() == known
    assert len(flags) == len({flag.partition("=")[0] for flag in flags})


def test_memory_becomes_a_hint_in_bytes() -> None:
    section = {"engine": "dataflow", **DATAFLOW, "memory_gb": 8}
    options = beam_options.PipelineOptions(list(beam_flags(BeamSettings.model_validate(section))))
    assert resource_hints_from_options(options) == {"beam:resources:min_ram_bytes:v1": b"8000000000"}


def test_the_default_is_one_worker_in_this_process() -> None:
    assert beam_flags(BeamSettings()) == LOCAL_BEAM
