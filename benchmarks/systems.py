"""Run one system on collections in a process of its own, so that its memory is its own.

The parent writes texts to a file and starts ``python systems.py``; the child finds
clusters in one collection after another and prints a line of JSON for each. Gold
stays with the parent. Each process first runs on two small texts, so that compiled
code is loaded before the clock starts, and everything is kept to one thread.
"""

import ast
import contextlib
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = "dedupe"
CURVE = tuple(round(0.1 + 0.05 * step, 2) for step in range(17))
"""Thresholds at which our result is asked again."""

LIMIT = 900.0
"""Seconds for one system on all collections."""

WORDS = [f"word{n}" for n in range(90)]
WARM_UP = {"one": " ".join(WORDS), "two": " ".join(WORDS[5:]), "three": " ".join(WORDS[:60])}

Clusters = list[list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a system made of a collection.

    Attributes
    ----------
    clusters : list of lists of ids
    seconds : float
    peak_mb : float
        Most memory that the process held, its libraries and the texts included.
    curve : dict from threshold to clusters
        Ours alone, and only when asked for.
    """

    clusters: Clusters
    seconds: float
    peak_mb: float
    curve: dict[float, Clusters] = field(default_factory=dict)


def run(
    system: str,
    collections: Iterable[Mapping[str, str]],
    *,
    constants: Mapping[str, Any] | None = None,
    curve: bool = False,
    limit: float = LIMIT,
) -> list[Outcome]:
    """Run a system on the texts of collections.

    Parameters
    ----------
    system : str
        `OURS` or one of `accuracy_peers.PEERS`.
    collections : iterable of mappings from id to text
    constants : mapping, optional
        Ours alone: values for attributes of modules (``dedupe.scoring.rule.HOLE_COST``)
        or for parameters of `dedupe.find_duplicate_texts` (``threshold``).
    curve : bool
        Whether to ask our result for its clusters at other thresholds too.
    limit : float
        Seconds; then the process is ended and the outcomes so far are returned.
    """
    constants = dict(constants or {})
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder, "texts")
        with texts.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(collection) + "\n" for collection in collections)
        job = json.dumps({"system": system, "constants": constants, "curve": curve})
        command = [sys.executable, str(Path(__file__)), job, str(texts)]
        environment = os.environ | {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        if any(name.startswith("dedupe.kernels.") for name in constants):
            # Compiled code has its constants inside, and a cache would not notice.
            environment["NUMBA_CACHE_DIR"] = folder
        try:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, env=environment, timeout=limit, check=True
            )
            answers = done.stdout
        except subprocess.TimeoutExpired as late:
            answers = (late.stdout or b"").rpartition(b"\n")[0]
        return [_outcome(json.loads(line)) for line in answers.splitlines()]


def main(arguments: Sequence[str]) -> None:
    """Do the job that `run` wrote, in the child."""
    job = json.loads(arguments[0])
    find = _ours(job) if job["system"] == OURS else _peer(job["system"])
    find(WARM_UP)
    with Path(arguments[1]).open(encoding="utf-8") as lines:
        for line in lines:
            texts = json.loads(line)
            _forget_peak()
            start = time.perf_counter()
            clusters, curve = find(texts)
            seconds = time.perf_counter() - start
            answer = {"clusters": clusters, "seconds": seconds, "peak_mb": peak_mb()}
            answer["curve"] = curve()
            print(json.dumps(answer), flush=True)


def _ours(job: dict[str, Any]) -> Any:
    """Return a function that finds clusters with this library, and gives the curve later."""
    import dedupe  # noqa: PLC0415  A peer's process must not hold it.

    parameters = {"workers": 1} | _set_constants(job["constants"])

    def find(texts: dict[str, str]) -> tuple[Clusters, Any]:
        result = dedupe.find_duplicate_texts(list(texts.items()), **parameters)

        def curve() -> dict[str, Clusters]:
            thresholds = CURVE if job["curve"] else ()
            return {f"{t}": _members(result.at(t)) for t in thresholds}

        return _members(result), curve

    return find


def _peer(name: str) -> Any:
    """Return a function that finds clusters with a peer."""
    from accuracy_peers import PEERS  # noqa: PLC0415  Not in our own process.

    return lambda texts: (PEERS[name](texts), dict)


def _members(result: Any) -> Clusters:
    return [list(cluster.members) for cluster in result.clusters]


def _set_constants(constants: Mapping[str, Any]) -> dict[str, Any]:
    """Set constants where they are defined and imported; return what is a parameter."""
    parameters = {}
    for name, value in constants.items():
        module, _, attribute = name.rpartition(".")
        if not module:
            parameters[name] = value
            continue
        if module.startswith("dedupe.kernels."):
            _forget_machine_code(module)
        _set(module, attribute, value)
        for other, follows in _following(module, attribute):
            _set(module, other, follows)
    return parameters


def _forget_machine_code(module: str) -> None:
    """Compile the kernels of a module anew, and those that call them or import from it.

    Machine code lies beside the source as well, and has the constants inside that it was made with.
    """
    importlib.import_module("dedupe.api")
    machine = importlib.import_module("dedupe.kernels.machine")
    loaded = [
        one for name, one in sorted(sys.modules.items()) if name.startswith("dedupe.kernels.")
    ]
    sources = {one.__name__: {source for source, _ in _imports(one)} for one in loaded}
    stale = {module}
    while more := {name for name, used in sources.items() if used & stale} - stale:
        stale |= more
    load = machine.load

    def load_other(function: Any, kinds: Any) -> Any:
        return None if function.__module__ in stale else load(function, kinds)

    vars(machine)["load"] = load_other


def _set(module: str, attribute: str, value: Any) -> None:
    for holder in holders_of(module, attribute):
        setattr(holder, attribute, value)


def _following(module: str, attribute: str) -> Iterator[tuple[str, Any]]:
    """Yield the constants that a module reckons from one that was set, with their new values.

    The length of a table is such a constant: compiled code would write beyond its end.
    """
    home = importlib.import_module(module)
    changed = {attribute}
    for node in ast.parse(inspect.getsource(home)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named = {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}
            if named & changed:
                changed.add(node.targets[0].id)
                code = compile(ast.Expression(node.value), module, "eval")
                yield node.targets[0].id, eval(code, vars(home))


def holders_of(module: str, attribute: str) -> list[ModuleType]:
    """Return the module that defines a constant and those that import it from there.

    Others may have a constant of the same name, which is another one.
    """
    importlib.import_module("dedupe.api")
    home = importlib.import_module(module)
    getattr(home, attribute)
    loaded = [one for name, one in sorted(sys.modules.items()) if name.startswith("dedupe.")]
    return [home, *(one for one in loaded if (module, attribute) in _imports(one))]


def _imports(module: ModuleType) -> set[tuple[str, str]]:
    """Return the names that a module imports, each with the module it comes from."""
    statements = ast.parse(inspect.getsource(module)).body
    return {
        (statement.module or "", one.name)
        for statement in statements
        if isinstance(statement, ast.ImportFrom)
        for one in statement.names
    }


def _outcome(answer: dict[str, Any]) -> Outcome:
    curve = {float(threshold): clusters for threshold, clusters in answer["curve"].items()}
    return Outcome(answer["clusters"], answer["seconds"], answer["peak_mb"], curve)


def _forget_peak() -> None:
    """Let the system count the peak of memory anew, where it can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Return the peak of memory of this process in MB.

    Not ``ru_maxrss`` where there is a better figure: on Linux a child inherits its
    parent's.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except OSError:
        import resource  # noqa: PLC0415  Unix alone has it.

        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main(sys.argv[1:])
