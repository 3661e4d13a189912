"""Vectors of images and what lies near them: similar images, outliers, the map."""
