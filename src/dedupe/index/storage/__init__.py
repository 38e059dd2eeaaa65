"""Writes an index to its folder, and reads it from there; who asks for what is not known here.

`store` has the documents, in SQLite; `segments` and `epochs` are `files` that are mapped into
memory, and follow from the documents.
"""
