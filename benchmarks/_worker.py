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

Work = Callable[[], Any]


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


def _timed(work: Work) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def serve(commands: TextIO, answers: TextIO) -> None:
    """Answers `build` with the first call's time and a digest, `run` with a warm call's time."""
    work: Work | None = None
    for line in commands:
        command = json.loads(line)
        if command["do"] == "build":
            module, function = command["build"].split(":")
            work = getattr(import_module(module), function)(command["sizes"])
            first, result = _timed(work)
            answer = {"first": first, "digest": digest(result)}
        else:
            assert work is not None, "run before build"
            # One run that is not counted: the peer before this one has emptied the caches.
            work()
            answer = {"seconds": _timed(work)[0]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    # Whatever a library prints must not reach the pipe of the answers.
    pipe, sys.stdout = sys.stdout, sys.stderr
    serve(sys.stdin, pipe)
