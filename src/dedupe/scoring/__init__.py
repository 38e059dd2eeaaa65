"""Decides whether two documents hold the same story, and shows what they share."""
