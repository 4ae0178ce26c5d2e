"""The files of a run: its preparation, record, lock and log."""
