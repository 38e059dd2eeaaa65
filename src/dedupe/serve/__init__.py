"""Answers other programs over HTTP from an index that one process owns.

`operations` says what can be asked, `openapi` describes it, `app` speaks HTTP, and `server` opens
the index and runs until it is told to stop.
"""
