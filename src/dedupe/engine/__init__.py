"""Does the work on one machine: threads, memory, temporary files and checkpoints."""
