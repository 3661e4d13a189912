"""Displays of a run for terminals and notebooks: progress, log file, verdict."""
