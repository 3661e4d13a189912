"""Jobs over many processes and machines: shards by host group, leases and commits in a store."""
