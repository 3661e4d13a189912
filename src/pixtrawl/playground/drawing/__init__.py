"""Made-up pictures: scenes and motifs drawn from a seed; real photographs where installed."""
