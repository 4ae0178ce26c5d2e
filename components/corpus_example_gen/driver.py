"""The driver: resolves the spans and fingerprints all files before the cache lookup."""

from __future__ import annotations

from typing import Any

from tfx.components.example_gen import driver, utils
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from components.corpus_example_gen.inputs import files, input_spans, split_patterns
from components.corpus_example_gen.settings import CorpusSettings


class CorpusDriver(driver.Driver):
    """TFX's driver with Beam's filesystems, several spans per run, and a fingerprint that covers every change.

    TFX's fingerprint ignores file names, which are the default source of a document, and changes within a second; its
    globs differ from Beam's.
    """

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """Fills in the span, version, fingerprint and the patterns of the spans of each split.

        Raises:
            JobError: If a span is missing or a filesystem is unknown.
        """
        del pipeline_info, component_info
        settings = CorpusSettings.model_validate_json(exec_properties["settings"])
        base, patterns = split_patterns.patterns(exec_properties)
        for pattern in patterns:
            split_patterns.require_filesystem(input_spans.join(base, pattern.pattern))
        resolved = input_spans.resolve(
            base,
            {split.name: split.pattern for split in patterns},
            settings.span if isinstance(settings.span, int) else None,
            settings.rolling or 1,
        )
        config = example_gen_pb2.Input(
            splits=[
                example_gen_pb2.Input.Split(name=split, pattern=pattern)
                for split, filled in resolved.patterns.items()
                for pattern in filled
            ]
        )
        exec_properties[standard_component_specs.INPUT_CONFIG_KEY] = proto_utils.proto_to_json(config)
        exec_properties[utils.SPAN_PROPERTY_NAME] = resolved.newest.number
        exec_properties[utils.VERSION_PROPERTY_NAME] = resolved.newest.version
        found = [file for split in config.splits for file in files.match_files(input_spans.join(base, split.pattern))]
        exec_properties[utils.FINGERPRINT_PROPERTY_NAME] = files.fingerprint(found)
        return exec_properties
