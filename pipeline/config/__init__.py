"""The configuration of a job: reading, types, checks and error messages."""
