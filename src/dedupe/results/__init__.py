"""Holds what was found: records, the questions people ask of them, and how they are saved."""
