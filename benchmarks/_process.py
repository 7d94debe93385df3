"""The parent's end of a peer's process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks._question import Peer, Sizes

ROOT = Path(__file__).parents[1]
# With a cache on disk a first call would not compile, and the times of first calls say nothing.
FORGOTTEN = ("JAX_COMPILATION_CACHE_DIR",)
# Peers share a GPU, if there is one: each takes memory of it as it needs it, none takes all.
SHARED = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}


class PeerEndedError(RuntimeError):
    """The process of a peer ended before it answered."""


class Worker:
    """A peer in a process of its own."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(peer),
            cwd=ROOT,
        )

    def build(self, sizes: Sizes) -> dict[str, Any]:
        """Lets the peer build the work of a case and do it once."""
        return self.ask(do="build", build=self.peer.build, sizes={**sizes, **self.peer.settings})

    def run(self, warm: bool) -> float:
        """Lets the peer do its work once and returns the seconds that it took."""
        seconds: float = self.ask(do="run", warm=warm)["seconds"]
        return seconds

    def ask(self, **command: Any) -> dict[str, Any]:
        """Sends one command and waits for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerEndedError(f"the peer {self.peer.name!r} ended; its error stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends the process: it stops where its commands stop."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):  # It has ended already, with a command unread.
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def _environment(peer: Peer) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    return {**SHARED, **own, **peer.environment}


@contextmanager
def workers_of(peers: Sequence[Peer]) -> Iterator[list[Worker]]:
    """Gives a process for each peer, and ends them all."""
    workers: list[Worker] = []
    try:
        workers += [Worker(peer) for peer in peers]
        yield workers
    finally:
        for worker in workers:
            worker.close()
