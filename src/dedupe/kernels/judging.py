"""Judges pairs by what was measured of them: how sure it is that both hold the same story.

What the rule says, and why, stands in `dedupe.scoring.score`; its constants are given, so that
they stand in `dedupe.scoring.rule` alone.
"""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.measures import (
    COVERED,
    EDIT,
    EDITED,
    END,
    ENTRIES,
    EXCESS,
    GAP,
    HOLE,
    OWN,
    PLAIN,
    STORY,
    WEIGHT,
)

__all__ = [
    "CONSTANTS",
    "EDITED_WORDS",
    "EXCESS_WORDS",
    "IS_PHRASE",
    "LISTING_WORDS",
    "N_JUDGED",
    "SCORE",
    "SCORE_WITHOUT_LISTINGS",
    "SHARE",
    "STORY_WORDS",
    "STRICT",
    "judge_into",
]

CONSTANTS = (
    "MIN_WORDS",
    "MIN_OWN",
    "SHORT_SHARE",
    "NEARLY_ALL",
    "HOLE_COST",
    "END_COST",
    "EXCESS_COST",
    "ENTRY_COST",
    "STRICT_HOLE",
    "MAX_STRICT_HOLE",
    "STRICT_EXCESS",
    "MAX_STRICT_EXCESS",
    "MAX_STRICT_GAP",
)
"""Names of the constants in `dedupe.scoring.rule`, in the order in which they are given."""

(
    MIN_WORDS,
    MIN_OWN,
    SHORT_SHARE,
    NEARLY_ALL,
    HOLE_COST,
    END_COST,
    EXCESS_COST,
    ENTRY_COST,
    STRICT_HOLE,
    MAX_STRICT_HOLE,
    STRICT_EXCESS,
    MAX_STRICT_EXCESS,
    MAX_STRICT_GAP,
) = range(len(CONSTANTS))

(
    SCORE,
    SCORE_WITHOUT_LISTINGS,
    STRICT,
    SHARE,
    STORY_WORDS,
    EDITED_WORDS,
    EXCESS_WORDS,
    LISTING_WORDS,
    IS_PHRASE,
) = range(9)
N_JUDGED = 9
"""What is said of a pair."""


@compiled
def _smaller_story(one, other, is_edited):
    """Return what is shared of the smaller story of two sides, what is edited, and all of it."""
    shared, edited = one[WEIGHT], one[EDITED] * is_edited
    whole = shared + one[STORY]
    of_other, edited_of_other = other[WEIGHT], other[EDITED] * is_edited
    whole_of_other = of_other + other[STORY]
    # Of two equally large the one that shares less, and of those the left one.
    is_less = whole < whole_of_other
    is_less |= whole == whole_of_other and shared + edited <= of_other + edited_of_other
    if is_less:
        return shared, edited, whole
    return of_other, edited_of_other, whole_of_other


@compiled
def _containment(shared, edited, whole):
    """Return the share of a story that is shared or edited."""
    return min(1.0, (shared + edited) / whole) if whole > 0 else 0.0


@compiled
def _strict_score(left, right, both, matched, rule):
    """Return the containment of a pair that is the same story beyond doubt, 0 for another."""
    hole = max(both[HOLE], rule[END_COST] / rule[HOLE_COST] * both[END])
    hole_limit = min(rule[STRICT_HOLE] * matched, rule[MAX_STRICT_HOLE])
    excess_limit = min(rule[STRICT_EXCESS] * matched, rule[MAX_STRICT_EXCESS])
    is_strict = (
        matched >= rule[MIN_WORDS]
        and hole <= max(EDIT, hole_limit)
        and both[EXCESS] <= max(EDIT, excess_limit)
        and both[GAP] <= rule[MAX_STRICT_GAP]
    )
    shared, edited, whole = _smaller_story(left, right, 0.0)
    return _containment(shared, edited, whole) if is_strict else 0.0


@compiled
def judge_into(words, totals, sides, swap, both, rule, judged):
    """Write what is said of each pair.

    Parameters
    ----------
    words : int64 [shape=(2, n_pairs)]
        Of the left documents, and of the right ones.
    totals : float64 [shape=(2, n_pairs)]
        What they weigh.
    sides : float64 [shape=(n_pairs, 2, N_OF_SIDE)], both : float64 [shape=(n_pairs, N_OF_BOTH)]
        As `dedupe.kernels.pairs.measure_pairs_into` writes them, the larger side first.
    swap : bool [shape=(n_pairs,)]
        Whether the larger document is the right one.
    rule : float64 [shape=(len(CONSTANTS),)]
    judged : float64 [shape=(N_JUDGED, n_pairs)], overwritten
        The score, the same where a listing takes nothing from it, and the strict score; the share
        of the smaller story that is in the other document, its words, and how many of them count
        as edited; words that each side has at places of its own, and words of a listing, as far
        as they decide; and whether the shared text may be a phrase.
    """
    for p in range(swap.size):
        right = 0 if swap[p] else 1
        left_side, right_side, between = sides[p, 1 - right], sides[p, right], both[p]
        covered = min(left_side[COVERED], right_side[COVERED])
        matched = min(left_side[WEIGHT], right_side[WEIGHT])
        known = min(left_side[PLAIN], right_side[PLAIN])
        longer = np.float64(max(words[0, p], words[1, p]))
        is_short = covered < rule[MIN_WORDS]
        least = rule[NEARLY_ALL] * min(totals[0, p], totals[1, p])
        is_all_there = known >= least and sides[p, 1, OWN] >= rule[MIN_OWN]
        shared, edited, whole = _smaller_story(left_side, right_side, 1.0)
        share = 0.0
        if is_short:
            share = covered / longer
            share = share if share >= rule[SHORT_SHARE] else 0.0
        elif matched >= rule[MIN_WORDS] or is_all_there:
            share = _containment(shared, edited, whole)
        is_phrase = not is_short and known < rule[MIN_WORDS] and not is_all_there
        replacing = max(rule[HOLE_COST] * between[HOLE], rule[END_COST] * between[END])
        excess = rule[EXCESS_COST] * between[EXCESS]
        entries = rule[ENTRY_COST] * between[ENTRIES]
        cost = max(replacing, excess)
        for place, costs in ((SCORE, max(cost, entries)), (SCORE_WITHOUT_LISTINGS, cost)):
            left = 0.0 if is_phrase else max(0.0, 1 - costs / max(matched, 1.0))
            judged[place, p] = share * (1.0 if is_short else left)
        judged[STRICT, p] = _strict_score(left_side, right_side, between, matched, rule)
        judged[SHARE, p] = share
        story = longer if is_short else max(1.0, np.rint(whole))
        judged[STORY_WORDS, p] = story if share > 0 else 0.0
        is_told = not is_short and share > 0
        judged[EDITED_WORDS, p] = np.rint(min(edited, whole - shared)) if is_told else 0.0
        judged[EXCESS_WORDS, p] = np.rint(between[EXCESS]) if excess > replacing else 0.0
        judged[LISTING_WORDS, p] = np.rint(between[ENTRIES]) if entries > cost else 0.0
        judged[IS_PHRASE, p] = is_phrase
