"""The report on a calibration: the threshold that agrees best, and how others would do.

How a threshold is weighed against labels is left to `dedupe.results.calibration`.
"""

from collections.abc import Iterator, Sequence

from dedupe.report.lines import BLANK, Line, counted
from dedupe.results.calibration import Calibration, Trial

__all__ = ["describe"]

NAMED = 3
"""Documents without a pair that are named."""


def describe(found: Calibration) -> Iterator[Line]:
    """Yield the best threshold, the present one, and a table of others."""
    labels = counted(found.n_same + found.n_different, "label")
    kinds = f"{found.n_same:,} one story, {found.n_different:,} two stories"
    yield Line(0, (("heading", f"{labels}: {kinds}"),))
    if found.unpaired:
        yield _unpaired(found.unpaired)
    yield BLANK
    yield _trial("keep", "best", found.best)
    yield Line(1, (("dim", _between(found)),))
    yield _trial("drop" if found.now.f1 < found.best.f1 else "keep", "now", found.now)
    yield BLANK
    yield Line(0, (("heading", "threshold  precision  recall    F1  false  missed"),))
    for trial in found.trials:
        yield Line(
            0,
            (
                ("", f"{trial.threshold:9.2f}  {trial.precision:9.2f}  {trial.recall:6.2f}"),
                ("", f"  {trial.f1:4.2f}  {trial.false:5,}  {trial.missed:6,}"),
            ),
        )


def _unpaired(names: Sequence[str]) -> Line:
    """Name documents that no threshold puts into a cluster: their ids may be misspelt."""
    are = "is" if len(names) == 1 else "are"
    said = f"{counted(len(names), 'document')} {are} in no scored pair, so in no cluster: "
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return Line(1, (("dim", said), ("id", ", ".join(names[:NAMED])), ("dim", more)))


def _between(found: Calibration) -> str:
    """Say which thresholds do as well as the best."""
    if found.low == found.high:
        return "the nearest thresholds that were tried do worse"
    return f"so does every threshold that was tried from {found.low} to {found.high}"


def _trial(role: str, what: str, trial: Trial) -> Line:
    """Say how well one threshold agrees with the labels."""
    measures = (
        f"  precision {trial.precision:.2f}  recall {trial.recall:.2f}  F1 {trial.f1:.2f}"
        f"  wrong {trial.false + trial.missed:,}"
    )
    return Line(
        0,
        (
            ("keep" if role == "keep" else "drop", f"{what:<4}  threshold {trial.threshold}"),
            ("", measures),
        ),
    )
