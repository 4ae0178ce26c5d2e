"""What happens in a run: its events in `events.jsonl`, and their delivery to other services."""
