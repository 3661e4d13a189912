"""Jobs over lists of any size: shards, workers that a store coordinates, and readers of the set."""
