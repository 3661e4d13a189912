"""Decisions of a person on a data set: recorded first, then carried out, undone by their number."""
