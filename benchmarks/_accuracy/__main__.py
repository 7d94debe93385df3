"""`python -m benchmarks._accuracy PEER SIZES BEGAN`: trains in a process of its own, says how."""

import contextlib
import json
import sys
from importlib import import_module

from benchmarks._accuracy.clock import Clock, EnoughError

if __name__ == "__main__":
    # Whatever a library prints must not stand in the answer.
    pipe, sys.stdout = sys.stdout, sys.stderr
    peer, sizes, began = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
    clock = Clock(began, sizes)
    with contextlib.suppress(EnoughError):
        import_module(f"benchmarks._accuracy.{peer}").train(sizes, clock)
    print(json.dumps(clock.facts()), file=pipe)
