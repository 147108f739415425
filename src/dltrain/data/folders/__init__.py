"""Folders with a folder of files for each class."""
