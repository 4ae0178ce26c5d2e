"""Recurrent layers of all recurrent tasks."""
