"""Decide which of several copies is nearest to the original."""
