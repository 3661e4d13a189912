"""Fuzzers of everything that reads strangers' bytes; `make fuzz` runs them, one after the other."""
