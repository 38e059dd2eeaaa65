"""A file that is to go: whether it still may, and where the copy that is kept for it stands.

Just before a file is touched, it and the copy that is kept must still be what was read,
their texts included; otherwise it stays, with a reason.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from dedupe.cleaning.inventory import Inputs, Stamp, opened
from dedupe.cleaning.journal import Plan, Step
from dedupe.documents import Document, read_file
from dedupe.documents.options import Options
from dedupe.documents.walk import File
from dedupe.index.folder import FILE

__all__ = ["Stays", "Task", "Texts"]


class Stays(Exception):
    """Why a file is left where it is; it ends up as a `Skipped`."""

    def __init__(self, reason: str, remedy: str = "search again") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class Texts:
    """Digests of texts as they stand in files now.

    A file is not read again while nothing about it has changed: it may hold the copies
    that are kept for many. Ids are not asked for: they hold the path as it was spelled,
    and a run that was cut off may be finished under another spelling.
    """

    def __init__(self, plan: Plan, options: Options) -> None:
        self._options = options
        self._wanted = {one for step in plan.steps for one in (step.digest, step.kept_digest)}
        self._known: dict[str, tuple[tuple[int, ...], frozenset[str | None]]] = {}

    def digests_of(self, file: File) -> frozenset[str | None]:
        """Return the digests in a file that steps are about; None stands for anything else."""
        info = os.stat(file.path)  # noqa: PTH116
        state = (*Stamp.of(info), info.st_ctime_ns)
        if file.path not in self._known or self._known[file.path][0] != state:
            self._known[file.path] = state, self._read(file)
        return self._known[file.path][1]

    def stored(self, index: str, id_: str) -> str | None:
        """Return the digest of a document that is in an index now."""
        with opened(index) as there:
            return there.document(id_).digest if id_ in there else None

    def _read(self, file: File) -> frozenset[str | None]:
        """Do the same, from the disk."""
        items = (item for _, item, _ in read_file(file, self._options))
        found = (item.digest if isinstance(item, Document) else None for item in items)
        return frozenset(digest if digest in self._wanted else None for digest in found)


class Task:
    """One step, with the files that it is about looked up among the inputs."""

    def __init__(self, step: Step, plan: Plan, inputs: Inputs, texts: Texts) -> None:
        self.step = step
        self.texts = texts
        self.is_resumed = plan.is_resumed
        self.folder = Path(plan.order.folder)
        self.target = self.folder / step.place
        self.draft = plan.draft
        self.is_beside_entries = os.path.dirname(step.place) in inputs.parents  # noqa: PTH120
        self.named_path = Path(inputs.base, step.place)
        kept_in = inputs.kept_in(is_old=step.kept_is_old)
        self.named_kept = Path(kept_in.base, step.kept)
        # Only what the paths of the command lead to is ever touched.
        found = inputs.entries.get(step.place)
        self.file = found.file if found else None
        self.kept_index = next(
            (one for one in kept_in.indexes if Path(one).absolute() == self.named_kept), None
        )
        self.kept_file = self._find_kept(kept_in)

    def _find_kept(self, kept_in: Inputs) -> File | None:
        """Return the copy that is kept, if it is where copies are kept, under any name."""
        known = kept_in.entries.get(self.step.kept)
        if known is not None:
            return known.file
        if self.kept_index is not None:
            return File(str(Path(self.kept_index, FILE)), self.kept_index, None, (-1, -1))
        # Of names that a run before this one has linked, the inputs have the first alone.
        with suppress(OSError):
            info = self.named_kept.lstat()
            key = info.st_dev, info.st_ino
            if key in kept_in.keys:
                return File(str(self.named_kept), self.step.kept_id, None, key, named=True)
        return None

    def read_files(self) -> tuple[Path, Path]:
        """Do as `files`, and read both texts: who writes may set size and time as before."""
        path, kept = self.files()
        step = self.step
        assert self.file is not None
        assert self.kept_file is not None
        if self.texts.digests_of(self.file) != {step.digest}:
            raise Stays("it has changed since it was read")
        if self.kept_index is not None:
            is_there = step.kept_digest == self.texts.stored(self.kept_index, step.kept_id)
        else:
            is_there = step.kept_digest in self.texts.digests_of(self.kept_file)
        if not is_there:
            raise Stays(f"its kept copy {step.kept_id} has changed since it was read")
        return path, kept

    def files(self) -> tuple[Path, Path]:
        """Return the file that is to go and the copy that is kept, if it may go now."""
        step = self.step
        try:
            self.named_path.lstat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Stays("it is gone", "nothing to do, unless you miss it") from error
        if self.file is None:
            raise Stays("it is not among the files any more")
        path = Path(self.file.path)
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            raise Stays("it is a symbolic link", "remove the link yourself")
        if not stat.S_ISREG(info.st_mode) or Stamp.of(info) != step.stamp:
            raise Stays("it has changed since it was read")
        return path, self._kept(info)

    def _kept(self, info: os.stat_result) -> Path:
        """Return the copy that is kept, which must be there, and another file."""
        step = self.step
        if self.kept_file is None or not os.path.exists(self.kept_file.path):  # noqa: PTH110
            raise Stays(f"its kept copy {step.kept_id} is gone")
        path = Path(self.kept_file.path)
        if self.kept_index is not None:
            return path
        kept = path.stat()
        if Stamp.of(kept) != step.kept_stamp:
            raise Stays(f"its kept copy {step.kept_id} has changed since it was read")
        if os.path.samestat(info, kept) or self.named_path == self.named_kept:
            raise Stays(f"it is the same file as its kept copy {step.kept_id}", "nothing to do")
        return path
