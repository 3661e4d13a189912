"""Statements in a file beside its pixels: rights, and how it was made."""
