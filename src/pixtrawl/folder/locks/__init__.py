"""Locks on files, by the best means of the operating system and the file system."""
