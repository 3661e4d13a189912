"""Lay one picture over another, and judge how well they agree."""
