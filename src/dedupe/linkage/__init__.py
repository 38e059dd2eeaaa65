"""Documents in clusters, the links between them, and how alike two clusters are on average."""
