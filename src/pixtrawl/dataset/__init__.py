"""A data set in Python: its images, its report, and ways into the tools that train on it.

    ds = pixtrawl.open("images")
    sharp = ds.filter(sharpness__gt=100, label="tabby cat")
    sharp.show(), sharp.to_torch(), sharp.to_pandas()
    sharp.export("webdataset", "shards/", split="train=0.9,val=0.1")

Nothing heavy is imported before it is used, and torch never where it is not installed.
"""

from pixtrawl.dataset.images import Dataset, DuplicateGroup

__all__ = ["Dataset", "DuplicateGroup"]
