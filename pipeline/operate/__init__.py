"""Operating a job over time: schedules, spans and backfills."""
