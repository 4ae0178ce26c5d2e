"""A job: its YAML, typed, checked and explained."""
