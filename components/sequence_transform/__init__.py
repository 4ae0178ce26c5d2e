"""SequenceTransform: raw SequenceExamples to token ids, with the transform graph that did it."""
