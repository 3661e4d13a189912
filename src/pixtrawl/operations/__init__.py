"""Operations shared by the command line, the web page and other front ends.

The functions do not print, prompt or read arguments: the caller presents the result. Results are
structs that `msgspec.to_builtins` converts to plain values.
"""
