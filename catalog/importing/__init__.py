"""Readers that turn files of other projects into facts of the catalogue: one module or package a format."""
