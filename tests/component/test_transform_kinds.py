"""Every kind of corpus and tokenizer through CorpusExampleGen and SequenceTransform under LocalDagRunner."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from gensim.models.phrases import Phrases as GensimPhrases

from tests.component.corpus_job import context, read_records, steps
from tests.pieces import joined
from trainer.errors import JobError

TEXTS = [f"Ein  Bär\u00e9 {n} läuft,\t{'weit ' * (n % 5)}日本 <pad> \\ {n * n}!" for n in range(60)]
TEXTS += ["<user>\r\n<pad> \\ \u2581 日本 <0x41>", "☃"]
SENTENCES = [[(f"w{n % 9}", "B-X"), ("in", "O"), (f"Town{n}", "B-LOC")] for n in range(60)]
Run = Callable[..., None]


def artifact(folder: Path, name: str) -> Path:
    (found,) = (folder / "root" / "SequenceTransform" / name).iterdir()
    return found


def read(folder: Path, split: str) -> list[tf.train.SequenceExample]:
    return read_records(artifact(folder, "transformed_examples") / f"Split-{split}")


def lines(folder: Path, name: str) -> list[str]:
    return (artifact(folder, "transform_graph") / name).read_bytes().decode().removesuffix("\n").split("\n")


def dataset(folder: Path, split: str) -> dict[str, Any]:
    return json.loads((artifact(folder, "transformed_examples") / f"{split}.dataset.json").read_text())


def test_subwords_restore_the_text_from_the_ids_on_disk(run_transform: Run, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    transform = {"tokenizer": "subwords", "subwords": {"size": 400, "model": "bpe"}, "eos": "document"}
    transform["reserved"] = ["<user>"]
    run_transform(tmp_path, {"format": "jsonl", "path": "data.jsonl"}, transform)
    vocabulary = lines(tmp_path, "vocabulary.txt")
    found = [steps(example, "tokens") for split in ("train", "eval") for example in read(tmp_path, split)]
    assert (vocabulary[4], {ids[-1] for ids in found}) == ("<user>", {3})
    assert not {0, 1, 2, 3} & {number for ids in found for number in ids[:-1]}
    assert sorted(joined(vocabulary[number] for number in ids[:-1]) for ids in found) == sorted(TEXTS)
    assert all(dataset(tmp_path, split)["coverage"] == 1 for split in ("train", "eval"))


def test_characters_of_lines_are_padded_on_plain_files(run_transform: Run, tmp_path: Path) -> None:
    texts = [f"ab{'c' * (n % 6)}é{n}" for n in range(40)]
    (tmp_path / "data.txt").write_text("\n".join(texts))
    transform = {"tokenizer": "characters", "min_count": 1, "bos": "document", "pad": {"to": 8, "side": "left"}}
    run_transform(tmp_path, {"format": "text", "path": "data.txt"}, transform, compression="none")
    vocabulary = lines(tmp_path, "vocabulary.txt")
    found = []
    for split in ("train", "eval"):
        rows = read(tmp_path, split)
        for example in rows:
            assert set(example.context.feature) == {"id", "source", "length"}
            ids, length = steps(example, "tokens"), context(example, "length")
            assert (len(ids), ids[: 8 - length], ids[8 - length]) == (8, [0] * (8 - length), 2)
            found.append("".join(vocabulary[number] if number != 1 else "?" for number in ids[9 - length :]))
        described = dataset(tmp_path, split)
        assert described["documents"] == len(rows)
        assert described["tokens"] == sum(context(example, "length") for example in rows)
        assert described["padding"]["on_disk"] == pytest.approx(1 - described["tokens"] / (8 * len(rows)))
        assert [shard["file"] for shard in described["shards"]] == ["data_tfrecord-00000-of-00001"]
    train_characters = set(vocabulary[4:])
    expected = ["".join(c if c in train_characters else "?" for c in text[:7]) for text in texts]
    assert Counter(found) == Counter(expected)


def test_tagged_sentences_keep_a_tag_for_every_token(run_transform: Run, tmp_path: Path) -> None:
    text = "\n\n".join("\n".join(f"{token} {tag}" for token, tag in sentence) for sentence in SENTENCES)
    (tmp_path / "data.conll").write_text(text)
    transform = {"tokenizer": "whitespace", "oov_buckets": 3, "truncate": {"to": 2}}
    run_transform(tmp_path, {"format": "conll", "path": "data.conll"}, transform)
    vocabulary, tags = lines(tmp_path, "vocabulary.txt"), lines(tmp_path, "tags.txt")
    assert tags == ["B-LOC", "B-X", "O"]  # of the whole sentences
    known = set(vocabulary[4:])
    found, spelled = Counter(), Counter()
    for split in ("train", "eval"):
        for example in read(tmp_path, split):
            words = [step.bytes_list.value[0].decode() for step in example.feature_lists.feature_list["words"].feature]
            spelled[tuple(words)] += 1
            ids, given = steps(example, "tokens"), [tags[number] for number in steps(example, "tags")]
            assert context(example, "length") == len(ids)
            assert max(ids) < len(vocabulary) + 3
            found[tuple(zip([vocabulary[n] if n < len(vocabulary) else "?" for n in ids], given, strict=True))] += 1
    assert spelled == Counter(tuple(token for token, _ in sentence[:2]) for sentence in SENTENCES)
    assert found == Counter(
        tuple((token if token in known else "?", tag) for token, tag in sentence[:2]) for sentence in SENTENCES
    )


def cities() -> list[str]:
    """Documents of lines in which some words are adjacent more often than by chance."""
    draw = random.Random(3)
    names = ["New York", "new york city", "Orson Welles", "San Francisco", "new", "city", "of"]
    rare = [f"w{int(draw.paretovariate(0.8)) % 90}" for _ in range(800)]
    lines = [f"{first} {draw.choice(names)} {last}" for first, last in zip(rare[::2], rare[1::2], strict=True)]
    return ["\n".join(lines[number : number + 4]) for number in range(0, len(lines), 4)]


def test_phrases_get_ids_and_serving_joins_them(run_transform: Run, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in cities()))
    limits = {"min_count": 3, "threshold": 1.0}
    transform = {"phrases": {**limits, "passes": 2}, "min_count": 1, "eos": "segment"}
    transform["truncate"] = {"to": 12}  # Phrases are counted on whole segments.
    run_transform(tmp_path, {"format": "jsonl", "path": "data.jsonl", "segment": "line"}, transform)
    examples = next((tmp_path / "root" / "CorpusExampleGen" / "examples").iterdir())
    splits = {split: read_records(examples / f"Split-{split}") for split in ("train", "eval")}
    raw = {split: [steps(document, "text") for document in documents] for split, documents in splits.items()}
    sentences = [line.lower().split() for document in raw["train"] for line in document]
    models, expected = [], []
    for number in (1, 2):
        models.append(GensimPhrases(sentences, **limits))
        for pair in {pair for sentence in sentences for pair in itertools.pairwise(sentence)}:
            phrase, score = models[-1].score_candidate(*pair, [])
            if phrase:
                expected.append((number, " ".join(pair), models[-1].vocab[phrase], f"{score:.6g}"))
        sentences = [models[-1][sentence] for sentence in sentences]

    def tokens(lines: list[str]) -> list[str]:
        joined = [[*models[1][models[0][line.lower().split()]], "<eos>"] for line in lines]
        return list(itertools.chain.from_iterable(joined))[:12]

    def ids(lines: list[str]) -> list[int]:
        return [vocabulary.index(token) if token in vocabulary else 1 for token in tokens(lines)]

    expected.sort(key=lambda line: (line[0], -line[2], *line[1].split()))
    assert lines(tmp_path, "phrases.txt") == [f"{n} {pair}\t{count}\t{score}" for n, pair, count, score in expected]
    vocabulary, counts = lines(tmp_path, "vocabulary.txt"), lines(tmp_path, "counts.txt")
    found = Counter({word: int(count) for word, count in zip(vocabulary[4:], counts[4:], strict=True)})
    assert found == Counter(token for document in raw["train"] for token in tokens(document) if token != "<eos>")
    assert {"new_york", "san_francisco", "new_york_city"} <= set(found)
    for split, documents in raw.items():
        assert [steps(example, "tokens") for example in read(tmp_path, split)] == list(map(ids, documents))
    graph = tf.saved_model.load(str(artifact(tmp_path, "transform_graph") / "transform_fn"))
    text = tf.ragged.constant([[["We saw New York City"], ["new"], ["york in San Francisco"]]], ragged_rank=2)
    served = graph.transform_fn({"id": tf.constant(["a"]), "source": tf.constant(["b"]), "text": text})["tokens"]
    assert served.to_list() == [ids(["We saw New York City", "new", "york in San Francisco"])]


def test_without_any_phrase_a_warning_is_logged_and_low_coverage_is_an_error(run_transform, tmp_path, caplog):
    (tmp_path / "data.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in cities()))
    run_transform(tmp_path, {"format": "jsonl", "path": "data.jsonl"}, {"phrases": {"threshold": 1e6}})
    assert (artifact(tmp_path, "transform_graph") / "phrases.txt").read_bytes() == b""
    assert "no word pair of the train split scores above transform.phrases.threshold = 1000000.0" in caplog.text
    assert not any("_" in word for word in lines(tmp_path, "vocabulary.txt"))
    with pytest.raises(JobError) as error:
        run_transform(tmp_path, {"format": "jsonl", "path": "data.jsonl"}, {"min_count": 9, "min_coverage": 0.999})
    assert "transform.min_coverage = 0.999" in str(error.value)
