"""The class check: which labels overlap, are biased or near-empty, and which are likely wrong."""
