"""Facts about the files of images: their names, records and places."""
