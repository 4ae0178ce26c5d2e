"""Objects by their dotted paths."""

import pytest

from trainer.jobs import dotted
from trainer.tagger.training import TAGGER


def test_an_object_is_imported_by_its_path() -> None:
    assert dotted.load("trainer.tagger.training:TAGGER") is TAGGER


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("trainer.tagger.training.TAGGER", "is not of the form module:NAME"),
        ("trainer.tagger.training:", "is not of the form module:NAME"),
        ("trainer.tagger.trainin:TAGGER", "names an unknown module: trainer.tagger.trainin"),
        ("trainer.tager.training:TAGGER", "names an unknown module: trainer.tager"),
        ("trainer.tagger.training:TAGER", "names an unknown object: trainer.tagger.training has no TAGER"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dotted.load(path)
