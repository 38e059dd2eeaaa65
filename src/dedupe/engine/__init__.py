"""How one machine does the work: threads, memory, temporary files and checkpoints."""
