"""Decisions of a person on a data set: their journal, what they do to rows and files."""
