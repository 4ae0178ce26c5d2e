"""Runs Publisher on artifacts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.corpus_example_gen.inputs.fingerprints import fingerprinted_files
from components.pusher.publish import publish
from components.shared.artifacts import ArtifactMap

WITHDRAWN = "withdrawn"
"""The custom property with the rollback because of which a model is not published again."""

_FILES = 1000
"""The number of files of a corpus that a version names; the fingerprint covers all."""


class PusherExecutor(base_executor.BaseExecutor):
    """Publishes as TFX's Pusher does: with atomic versions, a limit on their number, and no model twice in a row."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Publishes the model if it is blessed and new; records the newest version on the artifact."""
        self._log_startup(input_dict, output_dict, exec_properties)
        result = artifact_utils.get_single_instance(output_dict["pushed_model"])
        blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        if blessing.get_int_custom_property("blessed") != 1:
            result.set_int_custom_property("pushed", 0)
            return
        model = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))
        directory, run = exec_properties["directory"], exec_properties["run"]
        origin = _origin(artifact_utils.get_single_instance(input_dict["examples"]), exec_properties)
        published = publish(model, directory, exec_properties["keep"], run, origin)
        result.set_int_custom_property("pushed", int(published.new))
        if published.withdrawn is not None:
            result.set_string_custom_property(WITHDRAWN, published.withdrawn.model_dump_json())
            return
        result.set_string_custom_property("pushed_destination", f"{directory}/{published.version}")
        result.set_string_custom_property("pushed_version", str(published.version))


def _origin(examples: types.Artifact, exec_properties: dict[str, Any]) -> dict[str, Any]:
    """Returns what the model was made from: the files of the corpus with their spans, and the code."""
    fingerprint = examples.get_string_custom_property("input_fingerprint")
    files = fingerprinted_files(fingerprint, Path(exec_properties["inputs_dir"])) or []
    corpus = {
        "fingerprint": fingerprint,
        "span": examples.get_string_custom_property("span"),
        "documents": json.loads(examples.get_string_custom_property("split_documents") or "{}"),
        "files": [{"name": name, "content": content} for name, content in files[:_FILES]],
    }
    return {"corpus": corpus, "code": exec_properties["code"]}
