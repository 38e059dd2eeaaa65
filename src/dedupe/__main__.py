"""Let ``python -m dedupe`` do what the ``dedupe`` command does."""

from dedupe.cli import main

if __name__ == "__main__":
    main()
