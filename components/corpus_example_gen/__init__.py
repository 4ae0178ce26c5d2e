"""Text corpora (CSV, JSON lines) to raw `tf.SequenceExample` splits, with a quarantine for bad records."""
