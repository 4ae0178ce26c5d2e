"""Converting and reading corpora, next to stock TFX and tf.data."""
