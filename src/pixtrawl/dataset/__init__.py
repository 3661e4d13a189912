"""A data set in Python: its images, its report, and converters for training tools.

    ds = pixtrawl.open("images")
    sharp = ds.filter(sharpness__gt=100, label="tabby cat")
    sharp.show(), sharp.to_torch(), sharp.to_pandas()
    sharp.export("webdataset", "shards/", split="train=0.9,val=0.1")

Heavy packages (pandas, torch, datasets) are imported on first use; torch is optional.
"""

from pixtrawl.dataset.images import Dataset, DuplicateGroup

__all__ = ["Dataset", "DuplicateGroup"]
