"""The report on a calibration: the threshold that agrees best, and how others would do.

It says what the labels say. How they are weighed is left to `dedupe.calibration`.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from dedupe.calibration import Calibration, Trial
from dedupe.report.lines import BLANK, Line, counted

__all__ = ["describe"]


def describe(found: Calibration) -> Iterator[Line]:
    """Yield the best threshold, the present one, and a table of others."""
    labels = counted(found.n_same + found.n_different, "label")
    kinds = f"{found.n_same:,} one story, {found.n_different:,} two stories"
    yield Line(0, (("heading", f"{labels}: {kinds}"),))
    if found.n_unscored:
        yield Line(1, (("dim", f"{found.n_unscored:,} of pairs without a score count as 0"),))
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


def _between(found: Calibration) -> str:
    """Say which thresholds do as well as the best, with digits enough to see that it is one.

    The range is rounded to its inside, so that what is said of it is true.
    """
    if found.low == found.high:
        return "no other threshold does as well"
    for digits in range(4, 18):
        step = Decimal(1).scaleb(-digits)
        low = Decimal(str(found.low)).quantize(step, ROUND_CEILING)
        high = Decimal(str(found.high)).quantize(step, ROUND_FLOOR)
        if float(low) < found.best.threshold <= float(high):
            break
    return f"any threshold above {low.normalize():f}, up to {high.normalize():f}, does as well"


def _trial(role: str, what: str, trial: Trial) -> Line:
    """Say how one threshold agrees with the labels."""
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
