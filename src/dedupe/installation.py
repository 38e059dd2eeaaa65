"""Whether the files of this package are its own.

PyPI's `dedupe` is another project that is imported by the same name. Installed into one
environment, the later of the two writes over files of the other, and installers say nothing.

Only ``python -m dedupe`` and the command look at each start. Where ``import dedupe`` gives
the other one, nothing of ours runs; where single files are another's, loading them fails,
and only then is it worth the time to look.
"""

from pathlib import Path

__all__ = ["check", "foreign"]

OPENINGS = {
    "__init__.py": b'"""Find articles that are the same story',
    "api.py": b'"""Finds duplicates among many documents',
    "clustering.py": b'"""Joins scored pairs into clusters',
}
"""What our files of the names that both projects have begin with."""


def check() -> None:
    """Raise `ImportError` where files of ours are another's, or gone with another's.

    It is no `dedupe.DedupeError`, which could not be relied on then.
    """
    if names := foreign(Path(__file__).parent):
        files = ", ".join(f"dedupe/{name}" for name in names)
        raise ImportError(
            f"the files of dedupe-articles must be its own, but not {files}: PyPI's dedupe cannot "
            "share an environment with it; uninstall dedupe, and reinstall dedupe-articles"
        )


def foreign(folder: Path) -> list[str]:
    """Return the names of files that are not ours, or missing, in a folder of this package.

    Where modules are not in files of source, in an archive or a frozen program, no installer
    has written over them.
    """
    if not (folder / "installation.py").is_file():
        return []
    return [name for name, opening in OPENINGS.items() if not _begins(folder / name, opening)]


def _begins(path: Path, opening: bytes) -> bool:
    """Return whether a file is there and begins so."""
    try:
        with path.open("rb") as file:
            return file.read(len(opening)) == opening
    except OSError:
        return False
