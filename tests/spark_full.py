"""Holds a search on Spark to one machine, byte for byte, on all that `test_spark` has some of.

    PYTHONPATH=benchmarks python tests/spark_full.py --crawl 20000 --partitions 1 3 8

Searches every set of traps, the forms, the news and a made crawl, as one collection and with a
part of it held against the rest, and prints where the two differ. Needs Java and the extra
``spark``; twenty thousand pages take some minutes of the processor each time.
"""

import argparse
import os
import random
import sys
import time

from pyspark.sql import SparkSession

from test_spark import (
    Crawl,
    halves,
    invented_material,
    make_traps,
    news,
    notices,
    on_one_machine,
    on_spark,
)

FRAMES = ("documents", "pairs", "skipped")


def collection(n_crawled: int) -> dict[str, str]:
    """Return all traps, forms and news, and a crawl of so many pages."""
    material = invented_material()
    found = {f"news/{id_}": text for id_, text in news().items()}
    found |= {f"form/{id_}": text for id_, text in notices(40).items()}
    for trap in make_traps(material):
        found |= {f"{trap.name}/{id_}": text for id_, text in trap.texts.items()}
    return found | {item.id: item.text for item in Crawl(material, n_crawled)}


def check(session, texts, n_parts: int, against=None) -> bool:
    """Search both ways; print what differs, and return whether nothing does."""
    expected = on_one_machine(texts, against=against)
    began = time.monotonic()
    found = on_spark(session, texts, n_parts, against)
    seconds = time.monotonic() - began
    n_old = len(against or ())
    print(
        f"{len(texts):,} documents, {n_old:,} old, {n_parts} partitions, {seconds:.0f} s:", end=" "
    )
    same = True
    for name, one, other in zip(FRAMES, expected, found, strict=True):
        alone, there = ({*map(repr, rows)} for rows in (one, other))
        differing = sorted(alone ^ there)
        same = same and not differing and len(one) == len(other)
        print(f"{len(one):,} {name}, {len(differing):,} differ", end="; ")
        for row in differing[:3]:
            print(f"\n  {'one machine' if row in alone else 'Spark'}: {row[:200]}", end="")
    print(flush=True)
    return same


def main() -> None:
    """Search everything with each number of partitions."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--crawl", type=int, default=20_000)
    parser.add_argument("--partitions", type=int, nargs="+", default=[1, 3, 8])
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    session = builder.config("spark.driver.memory", "3g").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    texts = collection(options.crawl)
    same = [check(session, texts, n_parts) for n_parts in options.partitions]
    new, old = halves(texts, random.Random(1))
    same.append(check(session, new, options.partitions[-1], old))
    session.stop()
    sys.exit(not all(same))


if __name__ == "__main__":
    main()
