"""Join what looks alike within a whole collection at once, for splits."""
