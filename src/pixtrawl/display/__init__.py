"""How a run is told to a person: counts, progress, verdict, advice; for terminal and notebook."""
