"""Politeness towards each host: how much it is asked for, how fast, and when not."""
