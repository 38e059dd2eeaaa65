"""Keeps documents in a folder, and answers at once whether a story is among them.

SQLite is the truth (`storage.store`): documents with their texts. All else follows from it: flat
files that are mapped into memory (`storage.segments`), the newest documents, the *tail*, and what
was learned of the collection (`storage.epochs`). `layout` brings these up to date.

`index` has what one calls. What is added goes through `intake`, what is asked through `queries`:
candidates from `postings`, scores from `scores`. `merging` works in a thread beside them.
"""
