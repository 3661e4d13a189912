"""Orders by likeness: similar images, search by meaning, the map and its lasso."""
