"""The kinds of corpora."""

import pytest

from schema import curated
from trainer.data import kinds


def test_every_kind_has_a_curated_schema_and_a_file_of_its_classes() -> None:
    assert set(kinds.KINDS) == set(curated.SCHEMAS)
    assert [(kind.target, kind.classes_file, kind.tokenized, kind.multi_label) for kind in kinds.KINDS.values()] == [
        (None, None, False, False),
        ("label", "labels.txt", False, False),
        ("labels", "labels.txt", False, True),
        ("tags", "tags.txt", True, False),
    ]
    for kind in kinds.KINDS.values():
        assert kind.target is None or kind.target in {*kind.raw} & {*kind.transformed}
    assert kinds.by_name("tagged_text") is kinds.TAGGED_TEXT
    with pytest.raises(ValueError, match="'tagged' is not a kind of corpus: expected one of text, labelled_text"):
        kinds.by_name("tagged")
