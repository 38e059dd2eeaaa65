"""Finds what is connected by pairs, each as the least document of its component."""

from dedupe.kernels import compiled

__all__ = ["components_into"]


@compiled
def _root_of(least, document):
    """Return the least document that is known to be connected with one, and shorten the way."""
    while least[document] != document:
        least[document] = least[least[document]]
        document = least[document]
    return document


@compiled
def components_into(pairs, least):
    """Write the least document that each document is connected with by any number of pairs.

    Parameters
    ----------
    pairs : int64 [shape=(n_pairs, 2)]
    least : int64 [shape=(n_docs,)], overwritten
    """
    for document in range(least.size):
        least[document] = document
    for p in range(pairs.shape[0]):
        one = _root_of(least, pairs[p, 0])
        other = _root_of(least, pairs[p, 1])
        least[max(one, other)] = min(one, other)
    # No document follows one that is greater.
    for document in range(least.size):
        least[document] = least[least[document]]
