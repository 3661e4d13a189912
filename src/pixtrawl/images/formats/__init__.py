"""Parsers of file structure, before a pixel is decoded: signatures, blocks, cost."""
