"""A data set that no run is at: opened, mended, rebuilt, merged, verified."""
