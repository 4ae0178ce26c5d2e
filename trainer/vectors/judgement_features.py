"""The features of the records that word vectors are judged by. Imports no TensorFlow."""

TASK, SCORE = "task", "score"
"""The context features with a record's task and with the human similarity rating of a pair."""
SIMILARITY, ANALOGY, DOCUMENTS = "similarity", "analogy", "documents"
"""The values of `TASK`."""
