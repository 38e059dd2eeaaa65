"""Holds the constants of the scoring rule, and the reason for each.

`dedupe.kernels.judging` is given them, and `dedupe.scoring.relations` puts what comes of it
into words. Those of single words and lines stand in `dedupe.kernels.measures`, since
compiled code holds them, and those of forms in `dedupe.scoring.forms`. Whoever changes one
raises `dedupe.settings.RULE_VERSION`.
"""

MIN_WORDS = 20
"""Shared words below which two documents have no story in common, only a phrase."""

MIN_OWN = 3
"""Shared words that no other story has, which a text that weighs less than MIN_WORDS
needs: one more than a date or a name."""

HOLE_COST = 2.0
"""How much of the score a hole takes: all of it when it is half as long as the match."""

END_COST = 1.0
"""How much prose takes that both have at one end of the match: less, since a copy may go
on where the other ends, and what follows on its page is not the story."""

ENTRY_COST = 1.0
"""How much of the score the entries of a listing take: all of it when they are as long as
the match, which is the rest of the page."""

NEAR, MAX_NEAR_GAP = 0.92, 20
"""Share of the words of *both* sides that near-copies have in common, and words at most that
differ in one place, or that each has where the other has none.

At .85 one wrong page is in; at .95 a tenth of the copies is left out.
"""

MIN_CROWD = 100
"""Near-copies that follow a document at least: in a smaller crowd each has fewer than fifty
candidates."""

STRICT_CONTAINMENT = 0.4
"""Containment from which a pair without a hole is beyond doubt."""

LEARNED_SCORE = 0.5
"""Score from which a pair is one story when boilerplate is learned once more."""

LEARNED_WORDS = 10
"""Shared words from which two stories teach what is boilerplate: fewer are a phrase."""

STRICT_HOLE = 0.2
MAX_STRICT_HOLE = 50
"""A hole of this share of the match, and of this many words, is still an edit or a box.

Copies with boxes of their own and notices in one template look the same; only the
length of what differs tells them apart.
"""

MAX_STRICT_GAP = 100
"""Words of any lines that each side may have in one place: two pages of a guide share what
stands above and below their lists, and no pair is beyond doubt by that."""

EXCESS_COST = 1.0
"""How much of the score text takes that each document has at a place of its own.

Copies that leave out different paragraphs have it, and so have stories that stand at
different places in a template.
"""

STRICT_EXCESS = 0.25
MAX_STRICT_EXCESS = 150
"""Such text of this share of the match, and of this many words, is still an edit or boxes."""

SHORT_SHARE = 0.9
"""Share of the words of *both* sides that two short texts must share."""

NEARLY_ALL = 0.9
"""Share of a document's words that make it contained in another."""
