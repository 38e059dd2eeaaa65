"""Reports for programs as JSON.

A whole result is saved by `dedupe.results.result.Result.to_json` and read back by
`from_json`; the forms here are only written.
"""

import json

from dedupe.ids import id_as_json
from dedupe.results.records import Comparison
from dedupe.results.result import Result
from dedupe.results.saved import pair_as_json

__all__ = ["compared", "rows"]


def rows(result: Result) -> str:
    """Return `Result.rows` as JSON Lines: an object for each member of each cluster."""
    return "".join(
        json.dumps(row, ensure_ascii=False, default=id_as_json) + "\n" for row in result.rows()
    )


def compared(comparison: Comparison) -> str:
    """Return a comparison as one JSON object: the answer, the pair, and both texts."""
    facts = {
        "format": "dedupe-comparison",
        "version": 5,
        "same_story": comparison.same_story,
        "pair": pair_as_json(comparison.pair),
        "left_text": comparison.left_text,
        "right_text": comparison.right_text,
        "threshold": comparison.threshold,
        "knows_boilerplate": comparison.knows_boilerplate,
    }
    return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
