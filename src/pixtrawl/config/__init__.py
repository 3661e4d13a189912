"""Settings: what there is (`groups`), how text becomes a value (`parse`), who wins (`load`)."""
