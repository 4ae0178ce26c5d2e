"""The commands that operate a job over time: schedule, backfill."""
