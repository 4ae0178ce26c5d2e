"""Writes what word vectors are judged by: pairs of words, analogies and the documents of the eval split."""
