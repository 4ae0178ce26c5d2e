from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.component.corpus_job import CorpusJob


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder slow: each runs components for real."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def job(tmp_path: Path) -> CorpusJob:
    """A job in its own folder."""
    from tests.component.corpus_job import CorpusJob

    return CorpusJob(tmp_path)


@pytest.fixture(scope="session")
def run_transform() -> Any:
    """A function that runs CorpusExampleGen and SequenceTransform on a corpus file in a folder."""
    from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen

    from components.corpus_example_gen.component import CorpusExampleGen
    from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
    from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
    from components.sequence_transform.component import SequenceTransform
    from schema import curated
    from tests.component.corpus_job import run_components
    from trainer.settings import OutputSettings, TransformSettings

    def run(folder: Path, corpus: dict[str, Any], transform: dict[str, Any], **options: Any) -> None:
        settings = CorpusSettings(**corpus)
        output = OutputSettings(compression=options.get("compression", "gzip"))
        example_gen = CorpusExampleGen(
            corpus=[SplitPattern(ALL_SPLITS, str(folder / corpus["path"]))],
            settings=settings,
            splits=options.get("splits", SplitSettings({"train": 3, "eval": 1})),
            code="1",
            quarantine_dir=str(folder / "quarantine"),
            inputs_dir=str(folder / "inputs"),
            output=output,
        )
        schema = ImportSchemaGen(schema_file=str(curated.path(settings.kind.name)))
        sequence_transform = SequenceTransform(
            examples=example_gen.outputs["examples"],
            schema=schema.outputs["schema"],
            settings=TransformSettings(**transform),
            output=output,
            kind=settings.kind,
            labels=json.dumps(options.get("labels", [])),
            counts_dir=options.get("counts", ""),
            code=options.get("code", ""),
        )
        run_components(folder, [example_gen, schema, sequence_transform])

    return run
