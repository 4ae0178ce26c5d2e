"""Any sentences and limits: the phrases and the joined sentences match gensim's."""

import itertools

import tensorflow as tf
from gensim.models.phrases import Phrases as GensimPhrases
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.sequence_transform.phrase_counts import PairCounts, choose
from trainer.settings import TransformSettings
from trainer.text.phrases import Phrase, Phrases, count_pairs, write
from trainer.text.preprocessing import tokenize_segments

NO_WORDS = {"<unk>", "<sep>", "incomprehensibilities"}
WORD = st.sampled_from(["a", "b", "c", "d", "new", "york", "é", "日本", *sorted(NO_WORDS)])
SENTENCES = st.lists(st.lists(WORD, max_size=15), min_size=1, max_size=30)
Sentences = list[list[str]]


def stretches(sentence: list[str]) -> list[list[str]]:
    """A sentence split into runs of words and runs of other tokens."""
    return [list(run) for _, run in itertools.groupby(sentence, NO_WORDS.__contains__)]


def gensim(sentences: Sentences, min_count: int, threshold: float) -> tuple[dict[tuple[str, str], float], Sentences]:
    """The scores of gensim's phrases among the sentences' pairs, and the sentences joined."""
    runs = [run for sentence in sentences for run in stretches(sentence) if run[0] not in NO_WORDS]
    model = GensimPhrases(runs, min_count=min_count, threshold=threshold)
    scored = {pair: model.score_candidate(*pair, [])[1] for run in runs for pair in itertools.pairwise(run)}
    joined = [
        [token for run in stretches(sentence) for token in (run if run[0] in NO_WORDS else model[run])]
        for sentence in sentences
    ]
    return {pair: score for pair, score in scored.items() if score is not None}, joined


def tokens(sentences: Sentences, joined: Phrases | None, configured: TransformSettings) -> tf.RaggedTensor:
    found = tokenize_segments(tf.constant([" ".join(sentence) for sentence in sentences]), configured)
    return joined(found) if joined else found


def counted(sentences: Sentences, joined: Phrases | None, configured: TransformSettings, batches: int) -> PairCounts:
    total = PairCounts()
    for number in range(batches):
        batch = sentences[number::batches]
        counts = count_pairs(tokens(batch, joined, configured)) if batch else None
        if counts:
            total.add_batch(counts[0].numpy().tolist(), *(part.numpy() for part in counts[1:]))
    return total


@given(SENTENCES, st.integers(1, 3), st.sampled_from([0.1, 0.5, 1.0, 3.0]), st.integers(1, 3), st.integers(1, 3))
@example([["new", "york", "a"]] * 5, 1, 0.1, 2, 1)
@example([["a", "b", "c", "d"]] * 4 + [["a"], ["b", "c"], ["d", "new"]] * 2, 1, 0.1, 3, 2)
@settings(max_examples=60)
def test_phrases_match_gensim(tmp_path_factory, sentences, min_count, threshold, passes, batches):
    limits = {"min_count": min_count, "threshold": threshold, "passes": passes}
    configured = TransformSettings(tokenizer="whitespace", max_token_bytes=20, reserved=("<sep>",), phrases=limits)
    folder = tmp_path_factory.mktemp("phrases")
    joined, found, expected_sentences = None, [], sentences
    for number in range(passes):
        expected, expected_sentences = gensim(expected_sentences, min_count, threshold)
        chosen = choose(counted(sentences, joined, configured, batches), configured)
        assert {(phrase.first, phrase.second): phrase.score for phrase in chosen} == expected
        assert chosen == sorted(
            chosen, key=lambda phrase: (-phrase.occurrences, phrase.first.encode(), phrase.second.encode())
        )
        if not chosen:
            break
        found.append([Phrase(*phrase) for phrase in chosen])
        write(str(folder / f"{number}.txt"), found)
        joined = Phrases(str(folder / f"{number}.txt"), configured.phrases)
    as_text = [
        ["incomprehensibilities" if token[:1] == b"\xff" else token.decode() for token in row]
        for row in tokens(sentences, joined, configured).to_list()
    ]
    assert as_text == expected_sentences
