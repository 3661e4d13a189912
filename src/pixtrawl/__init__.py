"""From a list of keywords to an image data set that can be trained on."""

__version__ = "0.1.0"
