"""Folders of images: their listing, the decoding of a file, and the cache of what was decoded."""
