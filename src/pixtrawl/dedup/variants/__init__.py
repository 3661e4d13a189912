"""Tell another picture from a copy where grey hashes cannot: other colours, data or words."""
