"""Specs, schemas and descriptions of examples, shared by the declarations and executors of components."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.utils import io_utils

ArtifactMap = dict[str, list[types.Artifact]]
"""Artifacts by the name of the input or output."""
ArtifactTypes = Mapping[str, type[types.Artifact]]


def make_spec(
    inputs: ArtifactTypes, outputs: ArtifactTypes, parameters: Mapping[str, type], optional: Sequence[str] = ()
) -> type[ComponentSpec]:
    """Returns the spec class of a component from its artifact types and parameter types by name."""

    class Spec(ComponentSpec):
        INPUTS = {  # noqa: RUF012 - TFX's declaration
            name: ChannelParameter(type=kind, optional=name in optional) for name, kind in inputs.items()
        }
        OUTPUTS = {name: ChannelParameter(type=kind) for name, kind in outputs.items()}  # noqa: RUF012
        PARAMETERS = {name: ExecutionParameter(type=kind) for name, kind in parameters.items()}  # noqa: RUF012

    return Spec


def extend_spec(
    base: type[ComponentSpec], inputs: ArtifactTypes, parameters: Mapping[str, type]
) -> type[ComponentSpec]:
    """Returns the spec class of a component with more inputs and parameters than another one."""
    more = make_spec(inputs, {}, parameters)

    class Extended(ComponentSpec):
        INPUTS = {**base.INPUTS, **more.INPUTS}  # noqa: RUF012 - TFX's declaration
        OUTPUTS = base.OUTPUTS
        PARAMETERS = {**base.PARAMETERS, **more.PARAMETERS}  # noqa: RUF012

    return Extended


def new_outputs(spec: type[ComponentSpec]) -> dict[str, types.Channel]:
    """Returns a new channel for each output of a component, by name."""
    return {name: types.Channel(type=output.type) for name, output in spec.OUTPUTS.items()}


def read_schema(inputs: ArtifactMap) -> schema_pb2.Schema:
    """Reads the schema of the input `schema`."""
    folder = artifact_utils.get_single_uri(inputs["schema"])
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))


def describe_examples(examples: types.Artifact, splits: Sequence[str], *, compressed: bool) -> None:
    """Records the splits, the payload and the file format of SequenceExamples on their artifact."""
    examples.split_names = artifact_utils.encode_split_names(list(splits))
    examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_SEQUENCE_EXAMPLE)
    if compressed:
        # TFX has no name for plain files; without one, its components go by the suffix.
        examples_utils.set_file_format(examples, "tfrecords_gzip")


def split_documents(examples: types.Artifact) -> dict[str, int]:
    """Returns the number of documents by split that CorpusExampleGen recorded on its examples."""
    counts: dict[str, int] = json.loads(examples.get_string_custom_property("split_documents"))
    return counts
