"""Runs EvaluationSets on artifacts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.evaluation_sets.question_records import encode_documents, encode_questions
from components.evaluation_sets.sets import QuestionSet, SetCoverage, coverage, read_sets
from components.evaluation_sets.settings import HELD_OUT, EvaluationSettings
from components.shared import example_files
from components.shared.artifacts import ArtifactMap, describe_examples, split_documents
from components.shared.tfrecord_file import TFRecordFile
from trainer.data import tfrecords
from trainer.data.features import transform_settings
from trainer.errors import JobError
from trainer.jobs import progress
from trainer.settings import OutputSettings
from trainer.vectors.lookup import WordLookup
from trainer.vectors.vector_words import Vocabulary

SPLIT = "test"
"""The only split of the output."""

_OUTPUT, _GZIP_LEVEL = OutputSettings(compression="gzip"), 5


class EvaluationSetsExecutor(base_executor.BaseExecutor):
    """Writes the questions of all sets, then the documents of the eval split."""

    def Do(self, input_dict: ArtifactMap, output_dict: ArtifactMap, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Writes the split, and records on the artifact how much of each set the vocabulary covers.

        Raises:
            JobError: If a file cannot be read, or documents are lost.
        """
        raw = artifact_utils.get_single_instance(input_dict["examples"])
        output = artifact_utils.get_single_instance(output_dict["evaluation_examples"])
        settings = EvaluationSettings.model_validate_json(exec_properties["settings"])
        graph = artifact_utils.get_single_uri(input_dict["transform_graph"])
        lookup = WordLookup(Vocabulary.read(graph).words, transform_settings(graph))
        sets = list(read_sets(settings))
        known = {each.name: coverage(lookup, each, settings.min_coverage) for each in sets}
        written = 0
        path = example_files.shard_path(output.uri, SPLIT, 0, 1, _OUTPUT.suffix)
        with TFRecordFile(path, _OUTPUT, _GZIP_LEVEL) as file:
            for record in _encode(sets, known, raw.uri):
                file.write(record)
                written += 1
        documents, expected = written - sum(len(each.questions) for each in sets), split_documents(raw)[HELD_OUT]
        if documents != expected:
            raise JobError(
                "Documents were lost or duplicated in the evaluation data of word vectors.",
                where=f"EvaluationSets, split {HELD_OUT}",
                found=f"{documents} documents",
                expected=f"{expected}, the count of CorpusExampleGen",
                fix="Run again with --no-cache to rebuild the raw examples.",
            )
        describe_examples(output, [SPLIT], compressed=True)
        coverages = {name: share.to_json() for name, share in known.items()}
        output.set_string_custom_property("split_documents", json.dumps({SPLIT: written}))
        output.set_string_custom_property("coverage", json.dumps(coverages))
        progress.report(written, written, "records")


def _encode(sets: list[QuestionSet], known: dict[str, SetCoverage], raw: str) -> Iterator[bytes]:
    for question_set in sets:
        yield from encode_questions(question_set, known[question_set.name].gates)
    shards = example_files.shard_paths(raw, HELD_OUT)
    if shards:
        yield from encode_documents(record.numpy() for record in tfrecords.stream(shards))
