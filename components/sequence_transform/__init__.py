"""SequenceTransform: turns raw SequenceExamples into token ids, and keeps the transform graph."""
