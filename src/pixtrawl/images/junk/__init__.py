"""Drawn junk and human checks, recognised by look, layout and name."""
