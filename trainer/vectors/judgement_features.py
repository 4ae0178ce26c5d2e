"""The features of the records that word vectors are judged by. Imports no TensorFlow."""

TASK = "task"
"""The context feature with a record's task."""
SIMILARITY, ANALOGY, DOCUMENTS = "similarity", "analogy", "documents"
"""The values of `TASK`."""
SCORE = "score"
"""The context feature with the human similarity rating of a pair."""
