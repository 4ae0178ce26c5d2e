"""The driver: finds all files and fingerprints their content before the cache lookup."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_driver
from tfx.orchestration import data_types_utils, metadata
from tfx.orchestration.portable import base_driver as portable_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2

from components.corpus_example_gen.inputs import listing, pinned, url_filesystems
from components.corpus_example_gen.inputs.fingerprints import fingerprint
from components.corpus_example_gen.settings import CorpusSettings


class CorpusDriver(base_driver.BaseDriver, portable_driver.BaseDriver):
    """A driver with Beam's filesystems, several spans per run, and a fingerprint of the content of all files.

    The fingerprint of TFX's driver is of sizes and times, which may differ for the same content and be the same for
    different content. It ignores file names, which are the default source of a document; its globs differ from Beam's.
    """

    def __init__(self, metadata_handle: metadata.Metadata) -> None:
        base_driver.BaseDriver.__init__(self, metadata_handle)
        portable_driver.BaseDriver.__init__(self, metadata_handle)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns the resolved parameters, and the output with its span, version and fingerprint.

        Raises:
            JobError: If a file or span is missing, a file cannot be read, or a filesystem is unknown.
        """
        result = driver_output_pb2.DriverOutput()
        resolved = _resolve(execution_info.exec_properties, execution_info.pipeline_run_id or "")
        (examples,) = execution_info.output_dict["examples"]
        output = copy.deepcopy(examples.mlmd_artifact)
        for name in (utils.FINGERPRINT_PROPERTY_NAME, utils.SPAN_PROPERTY_NAME, utils.VERSION_PROPERTY_NAME):
            if resolved[name] is not None:
                data_types_utils.set_metadata_value(output.custom_properties[name], resolved[name])
        for name, value in resolved.items():
            if value is not None:
                data_types_utils.set_metadata_value(result.exec_properties[name], value)
        result.output_artifacts["examples"].artifacts.append(output)
        return result


def _resolve(exec_properties: dict[str, Any], run_id: str) -> dict[str, Any]:
    """Lists the files for the executor; fills in the span, version and fingerprint, which replace their paths."""
    settings = CorpusSettings.model_validate_json(exec_properties["settings"])
    patterns = listing.patterns(exec_properties)
    for pattern in patterns:
        url_filesystems.require_filesystem(pattern.pattern)
    inputs_dir = exec_properties["inputs_dir"]
    resolved = pinned.read_pinned(inputs_dir, run_id) or pinned.resolve(patterns, settings)
    found = listing.assign(resolved.files)
    matching = ", ".join(pattern.pattern for pattern in patterns)
    spans = listing.number_spans(found, patterns) if (settings.rolling or 1) > 1 else []
    listing.Listing(settings.path, matching, found, spans).write(inputs_dir)
    return {
        **exec_properties,
        "settings": settings.model_dump_json(exclude={"path"}),
        "input_config": "{}",
        utils.SPAN_PROPERTY_NAME: resolved.newest.number,
        utils.VERSION_PROPERTY_NAME: resolved.newest.version,
        utils.FINGERPRINT_PROPERTY_NAME: fingerprint(found, Path(inputs_dir), by_folder=settings.label_is_folder),
    }
