"""The commands that look at published versions and choose the one that is served."""
