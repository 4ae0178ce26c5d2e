"""All batching methods yield each document once per pass, within the budget."""

import numpy as np
import pytest

from bench import batching

LENGTHS = [1, 7, 3, 9, 2, 2, 8, 5, 4, 6]
BUDGET = 20


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, write_transformed) -> list[str]:
    path = tmp_path_factory.mktemp("batching") / "data_tfrecord-0.gz"
    ids = [[10 + number] * length for number, length in enumerate(LENGTHS)]
    write_transformed(path, [{"id": b"%d" % n, "tokens": tokens, "label": n % 2} for n, tokens in enumerate(ids)])
    return [str(path)]


@pytest.mark.parametrize("name", batching.METHODS)
def test_a_pass_has_every_document_once_within_the_budget(files: list[str], name: str) -> None:
    seen: list[tuple[int, int]] = []
    batches = batching.METHODS[name](files, BUDGET)
    while len(seen) < len(LENGTHS):
        batch = {key: np.asarray(value) for key, value in next(batches).items()}
        tokens, length = batch["tokens"], batch["length"]
        assert tokens.size <= BUDGET
        assert tokens.shape[1] == (max(LENGTHS) if "corpus" in name else length.max())
        for row, size, label in zip(tokens, length, batch["label"], strict=True):
            number = int(row[0]) - 10
            assert row.tolist() == [10 + number] * size + [0] * (len(row) - size)
            assert label == number % 2
            seen.append((number, int(size)))
    assert sorted(seen) == list(enumerate(LENGTHS))
