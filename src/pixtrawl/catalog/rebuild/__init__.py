"""Catalogs joined, read from damage, or made again from what is left."""
