"""How well images fit their queries, by a CLIP-type model of the user's own; never needed.

The model lies on the user's disk: as ONNX files, or as weights that open_clip loads. Images that
stand apart are flagged and stay where they are.
"""
