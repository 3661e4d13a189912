"""Optional: score how well images fit their queries, with a CLIP-type model of the user's own.

The model is on the user's disk, as ONNX files or as weights for open_clip. Outliers are flagged,
not removed.
"""
