"""Keeps which documents are in one cluster while clusters join."""

__all__ = ["Clusters", "Members"]

Members = dict[int, list[int]]


class Clusters:
    """Documents in clusters that join, at first one in each.

    Attributes
    ----------
    of : list of int
        The cluster of each document.
    members : mapping
        The documents of each cluster, in the order in which they joined.
    """

    def __init__(self, n_docs: int) -> None:
        self.of = list(range(n_docs))
        self.members: Members = {document: [document] for document in range(n_docs)}

    def sides(self, a: int, b: int) -> tuple[int, int]:
        """Return the clusters of two documents, the larger first."""
        one, other = self.of[a], self.of[b]
        if len(self.members[one]) < len(self.members[other]):
            return other, one
        return one, other

    def join(self, one: int, other: int) -> None:
        """Let the documents of the other cluster follow those of the one."""
        joining = self.members.pop(other)
        for document in joining:
            self.of[document] = one
        self.members[one] += joining

    def labels(self) -> list[int]:
        """Return the least document of the cluster of each."""
        least = {cluster: min(documents) for cluster, documents in self.members.items()}
        return [least[cluster] for cluster in self.of]
