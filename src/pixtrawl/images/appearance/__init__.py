"""Numbers that describe how a picture looks: hashes, thumbnails, colours, measures."""
