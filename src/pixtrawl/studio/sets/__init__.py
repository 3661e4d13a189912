"""Data sets that are open: their rows, views and thumbnails, decisions on them, and long work."""
