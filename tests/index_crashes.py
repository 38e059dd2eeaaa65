"""Kills whoever writes to an index at random moments, or lets others read beside it.

    python tests/index_crashes.py --kills 1000
    python tests/index_crashes.py --soak 60

A writer adds, replaces and removes documents, learns and compacts, and seals and merges segments
all the time. It says what it begins and what is done. When it was killed, all that was done must
be there, what was begun must be there as a whole or not at all, and the index must be sound.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

from dedupe import Index
from dedupe.index import bulk, merging
from strategies import article, edited

AT_ONCE = 5
"""Documents that the writer of a soak adds or removes at once."""


def hurry():
    """Let segments be sealed and merged all the time."""
    merging.TAIL, merging.FANOUT, bulk.SEGMENT = 12, 2, 16


def text_of(name, version):
    """Return the text of a document: some are copies of one story, most are their own."""
    random_ = random.Random(f"{name} {version}")
    if random_.random() < 0.2:
        return edited(article("the story of many", 80), 0.1, random_.random())
    return article(f"{name} {version}", 60)


# Killing.


def write(path, said, seed):
    """Change an index until one is killed; say what is begun, and what is done."""
    hurry()
    random_ = random.Random(seed)

    def tell(*what):
        os.write(said, json.dumps(what).encode() + b"\n")

    with Index(path) as index:
        there = [*index]
        for step in range(sys.maxsize):
            kind = random_.choices(["add", "many", "update", "remove", "learn", "compact"], WEIGHTS)
            changes = changes_of(kind[0], there, f"{seed}-{step}", random_)
            tell("begin", changes)
            if kind[0] == "learn":
                index.learn(workers=1)
            elif kind[0] == "compact":
                index.compact()
            elif kind[0] == "remove":
                index.remove([*changes])
            elif kind[0] == "many":
                index.add_texts({n: text_of(n, v) for n, v in changes.items()}, workers=1)
            else:
                for name, version in changes.items():
                    index.add(name, text_of(name, version), on_conflict="update")
            tell("done")
            there = [name for name in {*there, *changes} if changes.get(name, 0) is not None]


WEIGHTS = [30, 8, 6, 8, 1, 1]


def changes_of(kind, there, fresh, random_):
    """Return the versions of the documents that a step changes, None for one that is removed."""
    if kind == "add":
        return {fresh: 0}
    if kind == "many":
        return {f"{fresh}-{i}": 0 for i in range(random_.randint(2, 40))}
    if kind in ("update", "remove") and there:
        some = random_.sample(sorted(there), min(len(there), random_.randint(1, 3)))
        if kind == "update":
            return {some[0]: random_.randint(1, 9)}
        return dict.fromkeys(some)
    return {}


def kill_and_look(path, there, seed, fault):
    """Start a writer, kill it, and hold what is there against what it has said.

    `fault` takes what is wrong. Return what there is.
    """
    said, saying = os.pipe()
    writer = get_context("fork").Process(target=write, args=(path, saying, seed))
    writer.start()
    os.close(saying)
    with os.fdopen(said, "rb") as stream:
        first = stream.readline()
        time.sleep(random.Random(seed).uniform(0, 0.25))
        os.kill(writer.pid, signal.SIGKILL)
        lines = [first, *stream]
    writer.join()
    if writer.exitcode != -signal.SIGKILL:
        fault(f"the writer ended by itself: {writer.exitcode}")
    begun = {}
    for line in lines:
        with suppress(ValueError):
            what, *more = json.loads(line)
            if what == "begin":
                (begun,) = more
            else:
                there = {n: v for n, v in (there | begun).items() if v is not None}
                begun = {}
    with Index(path) as index:
        found = {one.id: one.text for one in index.documents()}
        for problem in index.verify().problems:
            fault(problem)
        with_it = {n: v for n, v in (there | begun).items() if v is not None}
        states = [{n: text_of(n, v) for n, v in state.items()} for state in (there, with_it)]
        if found not in states:
            lost, odd = states[0].keys() - found.keys(), found.keys() - states[1].keys()
            fault(f"lost {sorted(lost)[:3]}, odd {sorted(odd)[:3]}, begun {[*begun][:3]}")
        for name in random.Random(seed).sample(sorted(found), min(3, len(found))):
            matches = index.query(found[name], limit=None)
            if name not in {match.id for match in matches}:
                fault(f"{name} does not find itself")
    return with_it if found == states[1] else there


def kill(n):
    """Kill writers of one index; return what was wrong, with its count."""
    wrong = Counter()
    with tempfile.TemporaryDirectory(prefix="index-crashes-") as folder:
        path, there = Path(folder) / "index", {}
        for seed in range(n):
            if seed % 100 == 99:
                path, there = Path(folder) / f"index{seed}", {}
            there = kill_and_look(path, there, seed, lambda said: wrong.update([said]))
    return wrong


# Reading beside a writer.


def soak_write(path, end):
    """Add and remove some documents at a time."""
    hurry()
    with Index(path) as index:
        for step in range(sys.maxsize):
            if time.time() > end:
                return
            index.add_texts(
                {f"{step}-{i}": article(f"{step} {i}", 40) for i in range(AT_ONCE)}, workers=1
            )
            if step > 30:
                index.remove([f"{step - 30}-{i}" for i in range(AT_ONCE)])


def soak_read(path, end, told):
    """Ask for documents that stay, and count answers and wrong ones."""
    counts = Counter()
    with Index(path, mode="r") as index:
        while time.time() < end:
            number = random.randrange(20)
            story = article(f"stays {number}", 80)
            found = {match.id: match.relation for match in index.query(story)}
            counts["queries"] += 1
            counts["wrong"] += found != {
                f"stays-{number}": "identical",
                f"copy-{number}": found.get(f"copy-{number}", "none"),
            }
            counts["halves"] += len(index) % AT_ONCE != 0
    told.put(counts)


def soak(seconds, n_readers=3):
    """Let some read while one writes; return the counts of all readers."""
    with tempfile.TemporaryDirectory(prefix="index-crashes-") as folder:
        path = Path(folder) / "index"
        with Index(path) as index:
            for number in range(20):
                story = article(f"stays {number}", 80)
                index.add(f"stays-{number}", story)
                index.add(f"copy-{number}", f"{story}\n{article(f'frame {number}', 20)}")
        context, end = get_context("fork"), time.time() + seconds
        told = context.Queue()
        readers = [
            context.Process(target=soak_read, args=(path, end, told)) for _ in range(n_readers)
        ]
        writer = context.Process(target=soak_write, args=(path, end))
        for process in (writer, *readers):
            process.start()
        counts = sum((told.get() for _ in readers), Counter())
        for process in (writer, *readers):
            process.join()
            counts["failed"] += process.exitcode != 0
    return counts


def main():
    """Run what the arguments ask for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--soak", type=float, default=0, metavar="SECONDS")
    args = parser.parse_args()
    wrong = kill(args.kills)
    for problem, n in wrong.most_common(20):
        print(f"{n} x {problem}")
    print(f"{args.kills} kills, {wrong.total()} faults")
    if args.soak:
        counts = soak(args.soak)
        print(dict(counts))
        wrong.update({name: counts[name] for name in ("wrong", "halves", "failed")})
    return int(wrong.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
