"""What a run keeps, and where: layout, record, lock and log."""
