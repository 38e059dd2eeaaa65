"""The scorer: whether two documents hold the same story, and what they share."""
