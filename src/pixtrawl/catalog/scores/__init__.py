"""Scores and embeddings that models gave to images."""
