"""Readers of a set of shards: outcomes, pictures, samples, exports."""
