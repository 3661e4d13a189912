"""Rows of manifests divided into shards by host group; no command uses them yet."""
