"""A job: its settings, its list divided into shards, and how it gets into a store."""
