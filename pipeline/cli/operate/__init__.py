"""The commands that operate a job: plan, why, compile, schedule, backfill, doctor."""
