"""Starts the ``dedupe`` command, also as ``python -m dedupe``."""

import sys

from dedupe.installation import check

__all__ = ["main"]


def main() -> None:
    """Run the command, unless files of this package are another's."""
    try:
        try:
            check()
        except ImportError as error:
            sys.exit(f"dedupe: error: {error}")
        from dedupe.cli import main as run  # noqa: PLC0415  It needs the files that were checked.
    except KeyboardInterrupt:
        print("dedupe: interrupted", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
