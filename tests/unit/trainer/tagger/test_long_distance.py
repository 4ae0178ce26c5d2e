"""A corpus whose tags depend on tokens 30 steps away: no bag of words predicts them, the tagger learns them."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.data import kinds

FEWEST, MOST = 59, 66
DISTANCE = 30
TAGS = tuple(f"{token}/{order}" for token in ("x", "y", "k0", "k1") for order in (0, 1))
Sentence = tuple[tuple[str, ...], tuple[str, ...]]


def agreement(count: int, seed: int) -> list[Sentence]:
    """Makes sentences in pairs of the same words whose tags all differ.

    A sentence stands between the keys `k0` and `k1`, in either order, which determines every tag, e.g. x/0 or x/1.
    There are so many random x and y between the keys that those in the middle are at least 30 steps away from both.
    """
    draw, sentences = random.Random(seed), list[Sentence]()
    for _ in range(count // 2):
        words = draw.choices("xy", k=draw.randint(FEWEST, MOST))
        for order in (0, 1):
            tokens = (f"k{order}", *words, f"k{1 - order}")
            sentences.append((tokens, tuple(f"{token}/{order}" for token in tokens)))
    return sentences


def places(sentences: list[Sentence], least: int = 0) -> list[tuple[Sentence, int]]:
    """Every token that is at least that many steps away from both keys, as its sentence and its index."""
    return [
        (sentence, place)
        for sentence in sentences
        for place in range(len(sentence[0]))
        if min(place, len(sentence[0]) - 1 - place) >= least
    ]


def best_accuracy(tokens: list[tuple[Sentence, int]], seen: Callable[[Sentence, int], Hashable]) -> float:
    """The accuracy of the best possible function of what is seen of a token, fitted to these very sentences."""
    tags: defaultdict[Hashable, Counter[str]] = defaultdict(Counter)
    for sentence, place in tokens:
        tags[seen(sentence, place)][sentence[1][place]] += 1
    return sum(max(counts.values()) for counts in tags.values()) / len(tokens)


def test_no_function_of_nearby_words_and_the_bag_beats_chance() -> None:
    def bag(sentence: Sentence, place: int) -> Hashable:
        return sentence[0][place], tuple(sorted(sentence[0]))

    def neighbors(sentence: Sentence, place: int) -> Hashable:
        """All words fewer than 30 steps away, in their order, in addition to the bag and the index."""
        return sentence[0][max(place - DISTANCE + 1, 0) : place + DISTANCE], place, bag(sentence, place)

    sentences = agreement(200, seed=2)
    everywhere, far = places(sentences), places(sentences, DISTANCE)
    assert len(far) > len(sentences)
    assert best_accuracy(everywhere, lambda sentence, place: sentence[0][place]) == 0.5
    assert best_accuracy(everywhere, bag) == best_accuracy(far, neighbors) == 0.5
    for tokens in (far, everywhere):
        assert best_accuracy(tokens, lambda sentence, place: (sentence[0][0], sentence[0][place])) == 1


@pytest.mark.slow
def test_the_tagger_learns_tags_that_depend_on_tokens_30_steps_away(transform_documents, train, tmp_path: Path) -> None:
    from components.corpus_example_gen.documents import Document

    made = {"train": agreement(2_000, seed=1), "eval": agreement(200, seed=2), "test": agreement(200, seed=3)}
    assert not {tokens for tokens, _ in made["train"]} & {tokens for tokens, _ in made["eval"] + made["test"]}
    documents = {
        split: [
            Document((), None, "made", f"{split}-{number}", number + 1, None, tokens, tags)
            for number, (tokens, tags) in enumerate(made[split])
        ]
        for split in ("train", "eval")
    }
    settings = {"tokenizer": "whitespace", "min_count": 1}
    corpus = transform_documents("long_distance", documents, kinds.TAGGED_TEXT, settings, TAGS)
    sizes = {"embedding": 8, "units": 32, "epochs": 8, "patience": 8, "learning_rate": 0.01, "batch_documents": 32}
    model = train(corpus, tmp_path, **sizes, word_dropout=0, spatial_dropout=0, dropout=0)
    serve = tf.saved_model.load(str(model)).signatures["serving_default"]
    served = serve(tf.constant([" ".join(tokens) for tokens, _ in made["test"]]))["tags"].numpy()
    right = {
        (number, place): served[number, place].decode() == tag
        for number, (_, tags) in enumerate(made["test"])
        for place, tag in enumerate(tags)
    }
    assert np.mean(list(right.values())) > 0.99
    numbers = {sentence: number for number, sentence in enumerate(made["test"])}
    assert np.mean([right[numbers[sentence], place] for sentence, place in places(made["test"], DISTANCE)]) > 0.99
