"""Recurrent layers, which all recurrent tasks share."""
