"""Bring the catalog and the files together again: after a crash, and after changes by hand."""
