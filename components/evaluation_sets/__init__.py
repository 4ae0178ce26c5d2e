"""Writes the evaluation data of word vectors: word pairs, analogies and the documents of the eval split."""
