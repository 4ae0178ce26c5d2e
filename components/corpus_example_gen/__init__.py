"""Converts corpora of many formats to splits of raw `tf.SequenceExample` records, and quarantines bad records."""
