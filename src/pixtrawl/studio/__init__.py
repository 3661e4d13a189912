"""The studio: a local web page to see, steer and clean data sets.

A front end beside the command line: it draws on `pipeline`, `folder` and `catalog`, and nothing but
the command line and `Dataset.studio` imports it. docs/studio-api.md describes its HTTP interface.
"""
