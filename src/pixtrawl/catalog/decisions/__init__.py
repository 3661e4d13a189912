"""Decisions of people and models: images refused, removed, wanted back, taken down."""
