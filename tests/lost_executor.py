"""Kills an executor in the midst of a search on Spark; the answer must not change.

    PYTHONPATH=benchmarks python tests/lost_executor.py

Two executors are processes of their own (``local-cluster``); one of them is killed while the
search learns. It takes some minutes, and Java.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from pyspark.sql import SparkSession

from dedupe.spark.job import Job
from test_spark import everything, on_one_machine, on_spark

STAGE = "learning"


def processes_of(pid: int) -> list[int]:
    """Return the processes that another one has started."""
    told = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in told.stdout.split()]


def kill_one(killed: list[int]) -> None:
    """Kill the first executor that is found, and add it to those that were."""
    (java,) = (pid for pid in processes_of(os.getpid()) if b"java" in command_of(pid))
    executors = [pid for pid in processes_of(java) if b"CoarseGrainedExecutor" in command_of(pid)]
    # Let it take on part of the work first.
    time.sleep(2)
    os.kill(executors[0], signal.SIGKILL)
    killed.append(executors[0])
    print(f"killed executor {executors[0]} of {len(executors)}", flush=True)


def command_of(pid: int) -> bytes:
    """Return what a process was started with."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def main() -> None:
    """Search twice and compare."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    for name in ("spark.ui.enabled", "spark.ui.showConsoleProgress"):
        builder = builder.config(name, "false")
    session = builder.getOrCreate()
    plain = Job.tell
    killers: list[threading.Thread] = []
    killed: list[int] = []

    def tell(job: Job, stage: str) -> None:
        if stage == STAGE and not killers:
            killers.append(threading.Thread(target=kill_one, args=(killed,)))
            killers[0].start()
        plain(job, stage)

    Job.tell = tell
    texts = everything()
    found = on_spark(session, texts, 4)
    assert killed, f"no executor was killed in the stage {STAGE!r} before the search was over"
    assert found == on_one_machine(texts), "the answer is another one"
    print("the answer is the same")
    session.stop()


if __name__ == "__main__":
    main()
