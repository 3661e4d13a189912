"""Politeness as servers see it: each figure of docs/politeness.md is counted here."""
