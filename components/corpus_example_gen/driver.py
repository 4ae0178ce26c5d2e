"""The driver: finds all files and fingerprints their content before the cache lookup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.components.example_gen import driver, utils
from tfx.orchestration import data_types
from tfx.types import standard_component_specs

from components.corpus_example_gen.inputs import input_spans, listing
from components.corpus_example_gen.inputs.fingerprints import fingerprint
from components.corpus_example_gen.settings import CorpusSettings


class CorpusDriver(driver.Driver):
    """TFX's driver with Beam's filesystems, several spans per run, and a fingerprint of the content of all files.

    TFX's fingerprint is of sizes and times, which may differ for the same content and be the same for different
    content. It ignores file names, which are the default source of a document; its globs differ from Beam's.
    """

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """Lists the files for the executor; fills in the span, version and fingerprint, which replace their paths.

        Raises:
            JobError: If a file or span is missing, a file cannot be read, or a filesystem is unknown.
        """
        del pipeline_info, component_info
        settings = CorpusSettings.model_validate_json(exec_properties["settings"])
        patterns = listing.patterns(exec_properties)
        for pattern in patterns:
            listing.require_filesystem(pattern.pattern)
        resolved = input_spans.resolve(
            patterns, settings.span if isinstance(settings.span, int) else None, settings.rolling or 1
        )
        found = listing.assign(resolved.files)
        inputs_dir = exec_properties["inputs_dir"]
        matching = ", ".join(pattern.pattern for pattern in patterns)
        listing.Listing(settings.path, matching, found).write(inputs_dir)
        exec_properties["settings"] = settings.model_dump_json(exclude={"path"})
        exec_properties[standard_component_specs.INPUT_CONFIG_KEY] = "{}"
        exec_properties[utils.SPAN_PROPERTY_NAME] = resolved.newest.number
        exec_properties[utils.VERSION_PROPERTY_NAME] = resolved.newest.version
        exec_properties[utils.FINGERPRINT_PROPERTY_NAME] = fingerprint(
            found, Path(inputs_dir), by_folder=settings.label_is_folder
        )
        return exec_properties
