import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing import duplicates
from components.corpus_example_gen.writing.duplicates import DROP, KEY
from components.corpus_example_gen.writing.origins import Origin, pack

SPLITS = ("test", "train", "eval")
PREFERRED = ("eval", "test", "train")
"""The same splits, the most preferred first."""

DOCUMENTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 2)), max_size=30)


def keys(documents, origins, by):
    data = [
        duplicates.key(
            Document((text,), None, "s", identity, origin.line), by, origin=pack(origin), split=split, shard=split
        )
        for (identity, text, split), origin in zip(documents, origins, strict=True)
    ]
    return data, np.frombuffer(b"".join(data), KEY)


@given(DOCUMENTS, st.randoms())
def test_the_first_of_equal_ids_is_kept(documents, made):
    origins = [
        Origin(made.randrange(2), made.choice([0, 50]), line) for line in made.sample(range(1, 99), len(documents))
    ]
    _, found = keys(documents, origins, ("id",))
    dropped, kept = duplicates.find(found, "id", duplicates.preference(SPLITS))
    first = {
        identity: min(origin for (other, _, _), origin in zip(documents, origins, strict=True) if other == identity)
        for identity, _, _ in documents
    }
    expected = {origin: first[d[0]] for d, origin in zip(documents, origins, strict=True) if origin != first[d[0]]}
    entries = duplicates.drops(found, dropped, kept, "id")
    assert entries.dtype == DROP
    assert {Origin(*one): Origin(*other) for one, other, _ in entries.tolist()} == expected
    assert all(by_id for *_, by_id in entries.tolist())


@given(DOCUMENTS, st.randoms())
def test_one_of_equal_texts_is_kept_preferably_outside_train(documents, made):
    origins = [Origin(made.randrange(2), 0, line) for line in made.sample(range(1, 99), len(documents))]
    _, found = keys(documents, origins, ("text",))
    dropped, _ = duplicates.find(found, "text", duplicates.preference(SPLITS))
    best = {}
    for (_, text, split), origin in zip(documents, origins, strict=True):
        candidate = PREFERRED.index(SPLITS[split]), origin
        best[text] = min(best.get(text, candidate), candidate)
    stays = {origin for _, origin in best.values()}
    assert {origins[index] for index in dropped.tolist()} == set(origins) - stays
    left = [d for index, d in enumerate(documents) if index not in set(dropped.tolist())]
    assert sorted(text for _, text, _ in left) == sorted({text for _, text, _ in documents})


@given(DOCUMENTS, st.integers(1, 9))
def test_equal_documents_share_a_bucket(documents, buckets):
    origins = [Origin(0, 0, line) for line in range(len(documents))]
    data, _ = keys(documents, origins, ("id", "text"))
    for number, by in enumerate(("id", "text")):
        found = {}
        for document, key in zip(documents, data, strict=True):
            bucket = duplicates.bucket_of(key, by, buckets)
            assert 0 <= bucket < buckets
            assert found.setdefault(document[number], bucket) == bucket


SEGMENTS = st.lists(st.text(max_size=3), min_size=1, max_size=3)


@given(SEGMENTS, SEGMENTS)
def test_only_the_same_content_has_the_same_hash(one, other):
    def content(segments, tokens=()):
        document = Document(tuple(segments), None, "s", "i", 1, None, tuple(tokens), tuple(tokens))
        return duplicates.key(document, ("text",), origin=pack(Origin(0, 0, 1)), split=0, shard=0)

    assert (content(one) == content(other)) == (one == other)
    assert (content([], one) == content([], other)) == (one == other)


def test_train_is_preferred_least_and_the_last_split_most():
    assert duplicates.preference(("train", "eval", "test")) == (0, 1, 2)
    assert duplicates.preference(("test", "train", "eval")) == (1, 0, 2)
