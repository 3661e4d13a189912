"""Measurements of pixtrawl against what its users might otherwise take."""
