"""The process of one peer: builds the work once, then runs it whenever it is told to.

Commands come as lines of JSON on standard input, answers go out the same way. A process each
keeps settings that hold for a whole process apart (KERAS_BACKEND), and thread pools too.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TextIO

import numpy as np

from benchmarks import _torch
from benchmarks._question import Work

SPAN = 0.05
"""Seconds that calls are repeated for; one call that takes longer is run once."""


def digest(result: Any) -> list[float]:
    """Two numbers an array that tell different results apart: its size and a weighted sum."""
    numbers: list[float] = []
    for array in _arrays(result):
        flat = np.asarray(array, dtype=np.float64).ravel()
        weights = np.cos(np.arange(flat.size))
        numbers += [float(np.linalg.norm(flat)), float(flat @ weights)]
    return numbers


def _arrays(result: Any) -> Iterator[Any]:
    if isinstance(result, (list, tuple)):
        for part in result:
            yield from _arrays(part)
    elif result is not None:
        yield result


def _timed(run: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = run()
    _torch.wait()
    return time.perf_counter() - start, result


def _in_a_row(run: Callable[[], Any]) -> float:
    """The mean time of calls one after the other, as they come in training.

    One alone would time how long threads, caches and the clock of the processor take to wake.
    """
    calls, start = 0, time.perf_counter()
    while True:
        run()
        _torch.wait()
        calls += 1
        spent = time.perf_counter() - start
        if spent >= SPAN:
            return spent / calls


def work_of(build: str, sizes: dict[str, Any]) -> Work:
    """Builds the work of a peer, which is named as `Peer.build` names it."""
    module, function = build.split(":")
    work = getattr(import_module(module), function)(sizes)
    return work if isinstance(work, Work) else Work(work)


def serve(commands: TextIO, answers: TextIO) -> None:
    """Answers `build` with the first call's time and a digest, `run` with the time of a call."""
    work: Work | None = None
    for line in commands:
        command = json.loads(line)
        if command["do"] == "build":
            work = None  # What the case before holds in memory goes first.
            work = work_of(command["build"], command["sizes"])
            first, result = _timed(work.run)
            found = digest(work.comparable(result))
            facts = work.facts(result)
            answer = {"first": first, "digest": found, "flops": work.flops, "facts": facts}
        else:
            assert work is not None, "run before build"
            if command.get("warm", True):
                work.run()
            answer = {"seconds": _in_a_row(work.run)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    # Whatever a library prints must not reach the pipe of the answers.
    pipe, sys.stdout = sys.stdout, sys.stderr
    serve(sys.stdin, pipe)
