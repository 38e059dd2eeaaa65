"""Keeps documents in a folder, and answers at once whether a story is among them.

SQLite is the truth (`store`): documents with their texts. All else follows from it: flat files
that are mapped into memory (`segments`), the newest documents (`postings`), and what was learned
of the collection (`epochs`). `query` scores, and `index` has what one calls.
"""
