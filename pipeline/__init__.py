"""Wiring: typed run configuration, the DAG, runners and the command line."""
