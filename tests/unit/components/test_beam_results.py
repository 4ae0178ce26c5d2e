"""Results of a real Beam pipeline come back whole."""

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from components.shared.beam_results import WriteJson, read_json, write_json
from pipeline.runners.local_beam import LOCAL_BEAM


@pytest.mark.parametrize("values", [[], [{"a": 1}], [1, "é", None, [2.5, True]]])
def test_all_elements_of_a_pipeline_are_written_as_one_list(values: list, tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "result.json")
    with beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM))) as pipeline:
        _ = pipeline | beam.Create(values, reshuffle=False) | WriteJson(path)
    assert sorted(read_json(path), key=str) == sorted(values, key=str)


def test_a_value_is_read_as_written_and_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "a" / "b.json")
    for value in ({"é": [1, None]}, 3):
        write_json(value, path)
        assert read_json(path) == value
