"""The server for assistants: the operations on data sets as tools of the Model Context Protocol.

An assistant reads untrusted texts (titles, messages of sources) and may be led astray by them.
So the person who starts the server sets the folders and the limits, is asked before anything is
downloaded, removed, moved or exported, and those texts are capped and marked.
"""
