"""From documents to shards of raw examples."""
