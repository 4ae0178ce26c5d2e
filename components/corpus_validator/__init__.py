"""Holds a corpus' raw examples against its schema, the examples before and what serving logs."""
