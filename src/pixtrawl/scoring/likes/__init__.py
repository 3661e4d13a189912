"""Orders by what a person kept and refused, and the best images of a pool."""
