"""Models that score images: known ones fetched, files loaded, pictures and words embedded."""
