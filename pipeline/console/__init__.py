"""The presentation of runs on the console."""
