"""The section beam: each engine takes its own keys, and a message names the line of one that it does not."""

from pathlib import Path

import pytest

from pipeline.config.beam_settings import BeamSettings
from pipeline.tasks.loading import load
from trainer.errors import JobError

HEAD = "name: job\ntask: dataset\ncorpus: {format: text, path: x}\nbeam:\n"
DATAFLOW = "engine: dataflow, project: p, region: r, temp_location: gs://b/t, image: i"
VALID = [
    "engine: local",
    "engine: prism",
    "engine: prism, prism: bin/prism",
    "engine: portable, endpoint: localhost:8073, workers: localhost:50000",
    "engine: portable, endpoint: localhost:8073, image: 'registry.example/seqloom:1'",
    "engine: flink, endpoint: host:8099, workers: host:50000, parallelism: 8",
    "engine: flink, master: 'host:8081', jar: server.jar",
    "engine: spark, master: 'spark://host:7077', jar: server.jar, parallelism: 2",
    DATAFLOW,
    DATAFLOW + ", parallelism: 20, memory_gb: 8",
]


def loaded(folder: Path, lines: str) -> BeamSettings:
    path = folder / "job.yaml"
    path.write_text(HEAD + lines)
    return load(path).beam


@pytest.mark.parametrize("section", VALID)
def test_an_engine_takes_its_keys(section: str, tmp_path: Path) -> None:
    beam = loaded(tmp_path, f"  {{{section}}}\n")
    given = dict(pair.split(": ", 1) for pair in section.split(", "))
    found = {key: str(value) for key, value in beam if value not in (None, [])}
    assert found == {key: value.strip("'") for key, value in given.items()}


@pytest.mark.parametrize(
    ("lines", "line", "what", "details"),
    [
        ("  endpoint: localhost:1\n", 5, "beam.endpoint does not apply to engine local.", "portable or flink or spark"),
        ("  engine: prism\n  workers: h:1\n", 6, "beam.workers does not apply to engine prism.", "prism, options"),
        ("  engine: prism\n  memory_gb: 8\n", 6, "beam.memory_gb does not apply to engine prism.", "dataflow"),
        ("  engine: dataflow\n  jar: a\n", 6, "beam.jar does not apply to engine dataflow.", "flink or spark"),
        ("  engine: portable\n", 5, "Engine portable needs beam.endpoint.", "add endpoint"),
        ("  engine: dataflow\n", 5, "Engine dataflow needs beam.image.", "add image"),
        ("  engine: flink\n", 5, "Engine flink has no complete job server.", "none of them"),
        ("  engine: spark\n  jar: a\n", 5, "Engine spark has no complete job server.", "jar"),
        (
            "  engine: flink\n  jar: a\n  master: h:1\n  endpoint: h:2\n",
            5,
            "no complete job server",
            "endpoint, master",
        ),
        ("  engine: portable\n  endpoint: h:1\n  workers: h:2\n  image: i\n", 8, "exclude each other", "remove one"),
        ("  engine: portable\n  endpoint: http://h\n", 6, "The value of beam.endpoint is not valid.", "http://h"),
        ("  engine: dataflow\n  temp_location: s3://b\n", 6, "The value of beam.temp_location is not valid.", "s3://b"),
        ("  engine: hadoop\n", 5, "The value of beam.engine is not valid.", "portable, flink, spark, dataflow"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(
    lines: str, line: int, what: str, details: str, tmp_path: Path
) -> None:
    with pytest.raises(JobError) as caught:
        loaded(tmp_path, lines)
    message = str(caught.value)
    assert what in message
    assert details in message
    assert f"{tmp_path / 'job.yaml'}, line {line}" in message or f"job.yaml:{line}" in message
