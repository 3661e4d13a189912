"""Fuzzers of everything that reads untrusted bytes; `make fuzz` runs them, one after the other."""
