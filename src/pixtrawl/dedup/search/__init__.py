"""Indexes that select the few pictures worth comparing, among thousands or millions."""
