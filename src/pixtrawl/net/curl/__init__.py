"""libcurl on the event loop: one transfer, one future."""
