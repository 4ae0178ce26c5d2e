"""Answers of a SavedModel whose rule the test knows: tokens with their tags."""

import tensorflow as tf

from trainer.tagger.answers import TagAnswers


class ByCase(tf.Module):
    """Words with a capital letter are names; the longest sentence determines the width of the answer."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text):
        words = tf.strings.split(text)
        tokens = words.to_tensor("")
        tags = tf.where(tf.strings.regex_full_match(tokens, "[A-Z].*"), "B-PER", "O")
        real = tf.sequence_mask(words.row_lengths(), tf.shape(tokens)[1])
        scores = tf.where(real, 0.98, 0.0)
        return {"tokens": tokens, "tags": tf.where(real, tags, ""), "scores": scores, "length": words.row_lengths()}


def test_answers_end_where_their_sentence_ends(tmp_path):
    module = ByCase()
    tf.saved_model.save(module, str(tmp_path), {"serving_default": module.serve})
    assert TagAnswers(str(tmp_path))(["only Léa", "", "Bo"]) == [
        {"text": "only Léa", "tokens": ["only", "Léa"], "tags": ["O", "B-PER"], "scores": [0.98, 0.98]},
        {"text": "", "tokens": [], "tags": [], "scores": []},
        {"text": "Bo", "tokens": ["Bo"], "tags": ["B-PER"], "scores": [0.98]},
    ]
