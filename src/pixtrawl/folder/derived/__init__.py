"""Files that are made from the catalog: metadata, data card, captions."""
