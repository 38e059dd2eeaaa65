"""Kills the command before every step that it takes in the file system, and runs it again.

    python tests/crash_points.py                 every step of every command
    python tests/crash_points.py --quick         a few steps of each
    python tests/crash_points.py --with INT      the same with Ctrl-C, or TERM, before a step
    python tests/crash_points.py --signals 200   real processes, at random moments

After each kill the collection must be whole, and after the same command has run once more
everything must be as if nothing had happened. A step is a call that changes what is on the
disk: a file opened for writing, a write (once before it and once in its middle), a link,
a new name, a removal, a folder, permissions, times, and the wait for the disk.

A process is forked for each run, so that nothing has to be imported and compiled again; only
with ``--signals`` everything is as it is for a user, whom a signal may reach at any time.
What a power cut does to steps that were taken but not yet on the disk is not tried.
"""

import argparse
import builtins
import csv
import errno
import gc
import gzip
import io
import json
import mmap
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from dedupe.cleaning.drafts import MARK
from dedupe.cli import main as dedupe

LONG_AGO = 10**18
"""When the inputs were written, in nanoseconds: tells times that are kept from new ones."""

N_WORDS = 70

NOTE = "note"
"""Name of a journal that lies elsewhere."""


class Command(NamedTuple):
    """A command to be killed.

    Attributes
    ----------
    line : str
        Its arguments.
    disk : str
        "near"; "far", where the folder ``gone`` is on another disk; or "no links", where
        the file system has none.
    before : tuple of str
        Files that are there already under names that it writes.
    """

    line: str
    disk: str = "near"
    before: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return what the table shows."""
        return self.line + (f"  [{self.disk}]" if self.disk != "near" else "")


FIND = [
    Command("find in -o found.txt"),
    Command("find in recs --format json -o found.json", before=("found.json",)),
    Command("find in --format csv -o found.csv --report page.html", before=("page.html",)),
    Command("find in --format json -o found.json --memory 1K"),
    Command("find in --format json -o found.json --checkpoint kept/of/it"),
    Command("find in --against old --format jsonl -o found.jsonl --checkpoint kept --memory 1K"),
    Command("compare in/a.txt in/deep/c.txt --html page.html"),
    Command("compare in/a.txt in/deep/c.txt --html page.html", before=("page.html",)),
]
WRITTEN = [
    Command("clean recs/rows.jsonl -o once.jsonl"),
    Command("clean recs/rows.jsonl -o recs/once.jsonl", before=("recs/once.jsonl",)),
    Command("clean recs/rows.jsonl -o once.jsonl.gz", before=("once.jsonl.gz",)),
    Command("clean recs/rows.csv -o once.csv", before=("once.csv",)),
    Command("clean recs/rows.parquet -o once.parquet"),
    Command("clean recs/list.json -o once.json"),
    Command("clean recs/packed.jsonl.gz -o -"),
    Command("clean recs/rows.jsonl -o marked.jsonl --annotate", before=("marked.jsonl",)),
    Command("clean recs/rows.parquet -o marked.parquet --annotate"),
    Command("clean recs -o marked --annotate"),
    Command("clean in -o new/out"),
    Command("clean in recs -o out", before=("out/in/other.txt", "out/another.txt")),
    Command("clean in recs -o out", "no links"),
    Command("clean in/a.txt in/z.txt recs -o out --story --replace-text --boilerplate old"),
    Command("clean recs/rows.parquet -o once.parquet --cut-repeated"),
    Command("clean in recs -o all.jsonl --story", before=("all.jsonl",)),
    Command("clean in/a.txt recs -o all.jsonl.gz --annotate"),
    Command("clean in --against old -o out --checkpoint kept"),
    Command("clean in --result found-in.json -o out"),
    Command("clean recs/rows.jsonl --result found-rows.json -o once.jsonl"),
]
ACTED = [
    Command("clean in --move gone"),
    Command("clean in --move gone", "far"),
    Command("clean in --move gone", "no links"),
    Command("clean in --move gone/far", "far", before=("gone/far/deep/d.txt",)),
    Command("clean in --delete --yes"),
    Command("clean in --hardlink --keep first"),
    Command("clean in --result found-in.json --move gone", "far"),
    Command("clean in --result found-in.json --delete --yes"),
    Command("clean in --result found-in.json --hardlink"),
    Command("clean in --against old --move gone"),
    Command("clean in --against old --delete --yes"),
    Command("clean in --against old --hardlink --keep first"),
    Command("clean in --move gone --journal note", "far"),
    Command("clean in --delete --yes --journal old/note", "no links"),
    Command("clean in recs --hardlink --keep first --journal note"),
    Command("clean in/a.txt in/b.txt in/deep --move gone --checkpoint kept --memory 1K"),
]


SIGNALLED = [
    Command("find in --format json -o found.json --report page.html --checkpoint kept"),
    Command("find in recs --format csv -o found.csv --memory 1K", before=("found.csv",)),
    Command("compare in/7.txt in/8.txt --html page.html"),
    Command("clean recs/rows.jsonl -o once.jsonl --annotate", before=("once.jsonl",)),
    Command("clean in recs -o out"),
    Command("clean in --move gone --checkpoint kept"),
    Command("clean in --delete --yes"),
    Command("clean in --hardlink --keep first --journal note"),
    Command("clean in --result found-in.json --move gone"),
]

CODES = {"KILL": -signal.SIGKILL, "INT": 130, "TERM": 143}
"""Signals, and how a run ends that gets one."""


# What is cleaned.


def story(name: str, *more: str) -> str:
    """Return a text of its own for each name, with more words behind it."""
    words = random.Random(name)
    return " ".join([*("".join(words.choices("abcdefghij", k=7)) for _ in range(N_WORDS)), *more])


def rows(name: str) -> list[dict[str, str]]:
    """Return records, the second of which is a copy of the first."""
    texts = [story("rows"), story("rows", "with", "more"), story(name), story("bridge", name)]
    return [{"id": f"{name}-{i}", "text": text, "by": "é"} for i, text in enumerate(texts)]


def write_collection(folder: Path) -> None:
    """Write a small collection: texts, records of each format, packed ones, and an old one."""
    bridge, fire = story("bridge"), story("fire")
    files = {
        "in/a.txt": bridge,
        "in/b.txt": bridge,
        "in/deep/c.txt": story("bridge", "and", "what", "was", "added"),
        "in/deep/d.txt": bridge,
        "in/deep/er/e.txt": bridge,
        "in/deep/er/fire.html": f"<html><body><article><p>{fire}</p></article></body></html>",
        "in/fire.txt": fire,
        "in/other.txt": story("other"),
        "in/empty.txt": "",
        "in/z.txt": fire,
        "in/deep/rows.jsonl": as_lines("in"),
        "recs/rows.jsonl": as_lines("lines"),
        "recs/deep/more.jsonl": as_lines("more"),
        "recs/list.json": json.dumps(rows("list"), indent=1),
        "old/bridge.txt": bridge,
        "old/rows.jsonl": as_lines("old"),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, data in (("in/p.txt.gz", bridge), ("recs/packed.jsonl.gz", as_lines("packed"))):
        (folder / name).write_bytes(gzip.compress(data.encode(), mtime=0))
    with (folder / "recs/rows.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["id", "text", "by"])
        table.writeheader()
        table.writerows(rows("csv"))
    from pyarrow import Table, parquet  # noqa: PLC0415  Its threads must not be forked.

    parquet.write_table(Table.from_pylist(rows("parquet")), folder / "recs/rows.parquet")


def as_lines(name: str) -> str:
    """Return records as lines of JSON."""
    return "".join(json.dumps(row) + "\n" for row in rows(name))


def write_large_collection(folder: Path) -> None:
    """Write a collection that takes a while, every third text of which is a copy."""
    for name in ("in", "recs"):
        (folder / name).mkdir()
    for i in range(200):
        text = " ".join(story(f"{i // 3 if i % 3 else i}-{part}") for part in range(3))
        (folder / f"in/{i}.txt").write_text(text)
    lines = "".join(as_lines(f"{i}") for i in range(100))
    (folder / "recs/rows.jsonl").write_text(lines)


# Where a run is killed.

CHANGING = {
    "os.chmod",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.setxattr",
    "os.symlink",
    "os.truncate",
    "os.utime",
}
"""What Python announces to its audit hooks just before it is done."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Killer:
    """Ends this process before its step of a number, counted from one; 0 lets it finish.

    Parameters
    ----------
    place : str
        The folder in which steps count.
    at : int
    name : str
        Of the signal.
    disk : str
        As in `Command`.
    count : mmap
        Where the number of steps is written to, for another process to see.
    """

    def __init__(self, place: str, at: int, name: str, disk: str, count: mmap.mmap) -> None:
        self.place, self.at, self.disk, self.count = place, at, disk, count
        self.signal = getattr(signal, f"SIG{name}")
        self.n = 0

    def step(self) -> None:
        """Count a step that is going to be taken, and prevent it if it is the one."""
        self.n += 1
        self.count[:8] = self.n.to_bytes(8, "little")
        if self.n == self.at:
            os.kill(os.getpid(), self.signal)

    def install(self) -> None:
        """Watch all that this process does from now on."""
        sys.addaudithook(self.hear)
        # Waiting for the disk would take most of the time, and only matters in a power cut.
        os.fsync = self.watched(lambda _: None)
        if hasattr(os, "pwrite"):
            os.pwrite = self.watched(os.pwrite)
        killer = self

        class File(io.FileIO):
            """A file whose writes are steps."""

            def write(self, data: Any) -> int:
                killer.step()
                view = memoryview(data).cast("B")
                half = len(view) // 2
                n = super().write(view[:half]) if half else 0
                killer.step()
                return n + super().write(view[n:])

            def truncate(self, size: int | None = None) -> int:
                killer.step()
                return super().truncate(size)

        io.open = builtins.open = opening(File)  # type: ignore[assignment]

    def watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call that is a step."""

        def wrapped(*args: Any, **more: Any) -> Any:
            self.step()
            return call(*args, **more)

        return wrapped

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Take what Python announces for a step, or for one that this disk does not know."""
        if event in {"os.link", "os.rename"}:
            if self.disk == "far" and len({"gone" in Path(name).parts for name in args[:2]}) > 1:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            if self.disk == "no links" and event == "os.link":
                raise OSError(errno.EPERM, "Operation not permitted")
        is_step = event in CHANGING or (event == "open" and args[2] & WRITING)
        if is_step and self.counts(args[0]):
            self.step()

    def counts(self, name: Any) -> bool:
        """Return whether something is in the folder where steps count."""
        if isinstance(name, int):
            return True
        name = os.fsdecode(name)
        return not os.path.isabs(name) or name.startswith(self.place)  # noqa: PTH117


def opening(raw: type[io.FileIO]) -> Callable[..., Any]:
    """Return `open`, but that files which are written are of a type."""
    real = io.open

    def opened(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        *text: Any,
        closefd: bool = True,
        opener: Any = None,
        **more: Any,
    ) -> Any:
        if not set(mode) & set("wxa+"):
            return real(file, mode, buffering, *text, closefd=closefd, opener=opener, **more)
        stream: Any = raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return stream
        stream = (io.BufferedRandom if "+" in mode else io.BufferedWriter)(stream)
        return stream if "b" in mode else io.TextIOWrapper(stream, *text, **more)

    return opened


# What is looked at.


class Seen(NamedTuple):
    """A file or a folder as it stands."""

    data: bytes | None
    mode: int
    time: int | None
    n_links: int


State = dict[str, Seen]


def look(folder: Path) -> State:
    """Return everything that is in a folder, by its path there."""
    seen = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(top, name)
            info = path.stat()
            old = info.st_mtime_ns if info.st_mtime_ns == LONG_AGO else None
            one = (
                Seen(None, info.st_mode, None, 0)
                if path.is_dir()
                else Seen(path.read_bytes(), info.st_mode, old, info.st_nlink)
            )
            seen[str(path.relative_to(folder))] = one
    return seen


def wrong_after_a_stop(before: State, wanted: State, now: State) -> Iterator[str]:
    """Yield what must not be, however a run ended."""
    for name, was in before.items():
        there = now[name].data if name in now else b"nothing, as it is gone"
        if name not in wanted:
            copies = [p for p in wanted if wanted[p].data == was.data and p not in before]
            is_moved = any(p in now and now[p].data == was.data for p in copies)
            # What is deleted has a copy that is kept, and that is among the files that stay.
            if there != was.data and not is_moved and (copies or name in now):
                yield f"lost: {name}"
        elif there not in (was.data, wanted[name].data):
            yield f"lost or half written: {name}"
    for name in now.keys() - before.keys():
        is_hidden = any(part.startswith(".") for part in Path(name).parts)
        is_whole = name in wanted and now[name].data == wanted[name].data
        is_whole |= name.endswith(NOTE) and is_journal(now[name].data or b"")
        if name.startswith("tmp/") or not (now[name].data is None or is_hidden or is_whole):
            yield f"half written or left behind: {name}"


def is_journal(data: bytes) -> bool:
    """Return whether a file is a whole journal."""
    return b'"format": "dedupe-journal"' in data and data.endswith(b"}\n")


def wrong_at_the_end(wanted: State, now: State) -> Iterator[str]:
    """Yield what differs from a run that was not disturbed."""
    for name in sorted(wanted.keys() | now.keys()):
        if name not in wanted:
            yield f"left behind: {name}"
        elif name not in now:
            yield f"missing at the end: {name}"
        elif now[name] != wanted[name]:
            yield f"different at the end: {name}"


class Ground:
    """A collection that is put back before each command.

    Parameters
    ----------
    folder : Path
    write : callable
        Writes the collection into a folder.
    """

    def __init__(self, folder: Path, write: Callable[[Path], None]) -> None:
        self.work, self.spare, self.said = folder / "work", folder / "spare", folder / "said"
        self.count = mmap.mmap(-1, 8)
        (self.work / "tmp").mkdir(parents=True)
        write(self.work)

    def keep(self) -> None:
        """Take what is there now for what is to be put back."""
        for path in self.work.rglob("*"):
            os.utime(path, ns=(LONG_AGO, LONG_AGO))
        shutil.copytree(self.work, self.spare)

    def restore(self, command: Command) -> State:
        """Put everything back, and return it."""
        shutil.rmtree(self.work)
        shutil.copytree(self.spare, self.work)
        for name in command.before:
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            is_copy = name.endswith("/d.txt")
            path.write_text(story("bridge") if is_copy else "what was there before")
            path.chmod(0o640)
        return look(self.work)

    def fork(self, command: Command, at: int = 0, name: str = "KILL") -> int:
        """Run a command, with a signal before its step of a number; return its exit code."""
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            self._become(command, at, name)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _become(self, command: Command, at: int, name: str) -> None:
        """Be a process that runs a command."""
        code: Any = 70
        try:
            with self.said.open("wb") as said:
                os.dup2(said.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.chdir(self.work)
            # To find it, Python tries to write there, which is none of our steps.
            tempfile.tempdir = str(self.work / "tmp")
            # A search on one thread takes its steps in the same order each time.
            sys.argv = ["dedupe", *arguments(command, "--workers", "1")]
            Killer(str(self.work), at, name, command.disk, self.count).install()
            dedupe()
        except SystemExit as left:
            code = left.code or 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(code)

    @property
    def n_steps(self) -> int:
        """Steps that the last run has taken."""
        return int.from_bytes(self.count[:8], "little")

    def start(self, command: Command) -> "subprocess.Popen[bytes]":
        """Start a command as a user does."""
        with self.said.open("wb") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "dedupe", *arguments(command)],
                cwd=self.work,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=os.environ | {"TMPDIR": str(self.work / "tmp")},
            )

    def stopped_badly(self, name: str) -> Iterator[str]:
        """Yield what must not be said or be left by a run that was told to stop."""
        said = self.said_lines()
        word = "dedupe: interrupted" if name == "INT" else "dedupe: terminated"
        if name != "KILL" and not (len(said) == 1 and said[0].startswith(word)):
            yield f"a stop is not said in one line: {said[-3:]}"
        # The next run clears an empty folder for drafts, and what a journal knows of.
        found = look(self.work)
        has_journal = any(left.endswith(("journal.jsonl", NOTE)) for left in found)
        for left, seen in found.items():
            is_draft = "drafts/" in left and not left.endswith(MARK)
            is_draft |= left.endswith(".tmp") and not has_journal
            if name != "KILL" and seen.data is not None and is_draft:
                yield f"left behind at a stop: {left}"

    def said_lines(self) -> list[str]:
        """Return what the last run has said on standard error."""
        return self.said.read_text(errors="replace").splitlines()

    def has_crashed(self) -> bool:
        """Return whether the last run ended in a way that nobody meant."""
        return any(line.startswith("Traceback") for line in self.said_lines())


def expect_signals() -> None:
    """Let signals have their usual effect, which whoever started us may have turned off."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def arguments(command: Command, *more: str) -> list[str]:
    """Return the arguments of a command, with more for one that searches."""
    args = shlex.split(command.line)
    is_search = args[0] != "compare" and "--result" not in args
    return [*args, "-q", *more] if is_search else args


# Every step of every command.


class Tally(NamedTuple):
    """What became of one command."""

    command: str
    n_steps: int
    n_stops: int
    wrong: Counter[str]
    noted: Counter[str]


def try_command(
    ground: Ground, command: Command, name: str, chance: random.Random, most: int
) -> Tally:
    """Send a signal at some or all steps of a command, a part of the times twice."""
    before = ground.restore(command)
    code = ground.fork(command)
    n_steps = ground.n_steps
    wanted = look(ground.work)
    wrong: Counter[str] = Counter()
    if code not in (0, 1) or ground.has_crashed() or not is_tidy(wanted):
        wrong[f"does not run: {code}, {ground.said_lines()[-1:]}, {sorted(wanted)}"] += 1
        return Tally(str(command), n_steps, 0, wrong, Counter())
    places = range(1, n_steps + 1)
    n_stops = 0
    for at in places if most >= n_steps else sorted(chance.sample(places, most)):
        problems: list[str] = []
        ground.restore(command)
        ends = [at, *([chance.randint(1, n_steps)] if chance.random() < 0.3 else []), 0]
        for end in ends:
            ended = ground.fork(command, end, name)
            problems += wrong_after_a_stop(before, wanted, look(ground.work))
            if ended != CODES[name]:
                break
            n_stops += 1
            problems += ground.stopped_badly(name)
        problems += wrong_when_done(ground, {code, 0}, ended, wanted)
        wrong.update(f"{problem} (before {ends[:-1]})" for problem in dict.fromkeys(problems))
    return Tally(str(command), n_steps, n_stops, wrong, Counter())


def wrong_when_done(ground: Ground, codes: set[int], ended: int, wanted: State) -> Iterator[str]:
    """Yield what is wrong with the run that should have finished the work."""
    # What has to stay is not said again by a run that finishes another, hence several codes.
    if ended not in codes or ground.has_crashed():
        yield f"the same command fails: {ended}, {ground.said_lines()[-1:]}"
    yield from wrong_at_the_end(wanted, look(ground.work))


def is_tidy(state: State) -> bool:
    """Return whether nothing is left that only a run needs."""
    return not any(".dedupe-" in name or name.startswith("tmp/") for name in state)


def try_all(name: str, seed: int, most: int, only: str) -> Iterator[Tally]:
    """Try every command."""
    sys.dont_write_bytecode = True
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="crash-points-") as folder:
        ground = Ground(Path(folder).resolve(), write_collection)
        warm_up(ground.work)
        for what, found in (("in", "found-in"), ("recs/rows.jsonl", "found-rows")):
            command = Command(f"find {what} --format json -o {found}.json")
            assert ground.fork(command) == 0, ground.said_lines()
        ground.keep()
        commands = [one for one in (*FIND, *WRITTEN, *ACTED) if only in str(one)]
        for one in commands:
            yield try_command(ground, one, name, chance, most)


def warm_up(folder: Path) -> None:
    """Import and compile all that the commands need, and leave no thread behind."""
    from dedupe import clean, compare, find_duplicates  # noqa: PLC0415
    from dedupe.report.html import comparison_page, result_page  # noqa: PLC0415

    paths = [folder / "in", folder / "recs"]
    found = find_duplicates(paths, workers=1, progress=lambda _: None)
    result_page(found)
    comparison_page(compare(folder / "in/a.txt", folder / "in/deep/c.txt"))
    clean(paths, result=found)
    assert threading.active_count() == 1
    gc.freeze()  # So that the children share it all.


# Real processes, at random moments.


class Trial(NamedTuple):
    """A command, how long it takes undisturbed, and what comes of it."""

    command: Command
    seconds: float
    before: State
    wanted: State


def try_signals(n: int, seed: int, only: str) -> Iterator[Tally]:
    """Send signals to real processes, and run the same command again until it is done."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="crash-points-") as folder:
        ground = Ground(Path(folder).resolve(), write_large_collection)
        finding = Command("find in --format json -o found-in.json")
        assert ground.start(finding).wait() == 0, ground.said_lines()
        ground.keep()
        trials = [undisturbed(ground, one) for one in SIGNALLED if only in str(one)]
        tallies = {
            trial.command: Tally(str(trial.command), 0, 0, Counter(), Counter()) for trial in trials
        }
        with suppress(KeyboardInterrupt):  # Whoever has no more time is shown what there is.
            for i in range(n):
                trial = trials[i % len(trials)]
                tally = tallies[trial.command]
                n_stops = tally.n_stops + disturb(ground, trial, chance, tally)
                tallies[trial.command] = tally._replace(n_stops=n_stops)
        yield from tallies.values()


def undisturbed(ground: Ground, command: Command) -> Trial:
    """Run a command, and note what it takes and leaves."""
    before = ground.restore(command)
    started = time.monotonic()
    code = ground.start(command).wait()
    seconds = time.monotonic() - started
    wanted = look(ground.work)
    assert code == 0, ground.said_lines()
    assert is_tidy(wanted)
    return Trial(command, seconds, before, wanted)


def disturb(ground: Ground, trial: Trial, chance: random.Random, tally: Tally) -> int:
    """Stop a command at a random moment, sometimes again, then let it finish; return the stops."""
    ground.restore(trial.command)
    wrong, noted = tally.wrong, tally.noted
    problems: list[str] = []
    n_stops = 0
    while True:
        name = chance.choice(list(CODES))
        moment = chance.uniform(0, trial.seconds)
        running = ground.start(trial.command)
        if n_stops == 0 or chance.random() < 0.2:
            time.sleep(moment)
            running.send_signal(getattr(signal, f"SIG{name}"))
        ended = running.wait()
        now = look(ground.work)
        problems += wrong_after_a_stop(trial.before, trial.wanted, now)
        if ended == 0:
            break
        n_stops += 1
        if ended == CODES[name]:
            problems += ground.stopped_badly(name)
        else:
            why = f"{ended} and {ground.said_lines()[-4:]} after {name} at {moment:.2f} s"
            (noted if is_at_an_end(ground, trial, now) else wrong)[why] += 1
        if is_done_for_good(trial, now):
            ended = 0
            break
        if n_stops > 9:
            problems.append("it never finishes")
            break
    problems += wrong_when_done(ground, {0}, ended, trial.wanted)
    wrong.update(f"{problem} ({name} at {moment:.2f} s)" for problem in dict.fromkeys(problems))
    return n_stops


def is_done_for_good(trial: Trial, now: State) -> bool:
    """Return whether a command was stopped after its work, and is refused if it runs again.

    It was told by a result which documents to move, and they are not there any more.
    """
    return "--result" in trial.command.line and not [*wrong_at_the_end(trial.wanted, now)]


def is_at_an_end(ground: Ground, trial: Trial, now: State) -> bool:
    """Return whether a run was stopped before its first line ran, or after its last.

    It has not arranged for signals there, and Python does with them as it likes.
    """
    is_within = any("in main" in line for line in ground.said_lines())
    return not is_within and any(
        not [*wrong_at_the_end(state, now)] for state in (trial.before, trial.wanted)
    )


# What it says.


def show(tried: Iterable[Tally]) -> int:
    """Print a table as it comes; return the exit code."""
    print(f"{'steps':>6} {'stops':>6} {'wrong':>6}  command")
    tallies = []
    for tally in tried:
        tallies.append(tally)
        row = tally.n_steps, tally.n_stops, tally.wrong.total()
        print("{:6} {:6} {:6}  {}".format(*row, tally.command), flush=True)
        for problem, n in tally.wrong.most_common(5):
            print(f"{'':22}{n} x {problem}")
        for note, n in tally.noted.most_common(5):
            print(f"{'':22}{n} x before or after its work: {note}")
    n_steps = sum(tally.n_steps for tally in tallies)
    n_stops = sum(tally.n_stops for tally in tallies)
    n_wrong = sum(tally.wrong.total() for tally in tallies)
    print(f"{n_steps:6} {n_stops:6} {n_wrong:6}  in all")
    return int(n_wrong > 0)


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="Stop each command once.")
    parser.add_argument("--only", default="", help="Only commands that have this in them.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--with", dest="name", choices=CODES, default="KILL")
    parser.add_argument("--signals", type=int, metavar="N")
    args = parser.parse_args()
    expect_signals()
    if args.signals is not None:
        return show(try_signals(args.signals, args.seed, args.only))
    return show(try_all(args.name, args.seed, 1 if args.quick else sys.maxsize, args.only))


if __name__ == "__main__":
    sys.exit(main())
