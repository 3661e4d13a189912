"""What the command line, a web page and assistants offer alike, as functions that return values.

Nothing here prints, asks or reads arguments: whoever calls draws the result. The values are structs
that `msgspec.to_builtins` makes plain.
"""
