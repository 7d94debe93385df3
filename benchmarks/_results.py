"""What was measured as JSON, and back, so that a run can be looked at again."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks._times import Measured, Times

PACKAGES = (
    "everystep",
    "jax",
    "jaxlib",
    "numpy",
    "keras",
    "tensorflow-cpu",
    "tensorflow",
    "torch",
    "flax",
    "equinox",
    "optax",
)
PROCESSOR = Path("/proc/cpuinfo")


def as_json(results: Iterable[Measured]) -> dict[str, Any]:
    """All results and what they were measured with, as numbers in seconds."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "device": device()},
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
        "computes": computes(),
        "results": [
            {
                "question": measured.question,
                "sizes": dict(measured.sizes),
                "gemm_flops_per_second": measured.gemm_rate,
                "flops": measured.flops,
                "amount": measured.amount,
                "unit": measured.unit,
                "missing": measured.missing,
                "peers": [
                    {
                        "name": times.peer,
                        "median": times.median,
                        "least": times.least,
                        "spread": times.spread,
                        "against": times.against,
                        "ratio": measured.ratio(times),
                        "share_of_gemm": measured.share(times),
                        "first_call": times.first,
                        "error": times.error,
                        "agrees": times.agrees,
                        "seconds": times.seconds,
                        "facts": times.facts,
                    }
                    for times in measured.times
                ],
            }
            for measured in results
        ],
    }


def from_json(data: dict[str, Any]) -> list[Measured]:
    """The results that `as_json` wrote; what follows from the times is worked out again."""
    return [
        Measured(
            question=result["question"],
            sizes=result["sizes"],
            times=[
                Times(
                    peer=peer["name"],
                    first=peer["first_call"],
                    error=peer["error"],
                    agrees=peer["agrees"],
                    against=peer["against"],
                    seconds=peer["seconds"],
                    facts=peer.get("facts", {}),
                )
                for peer in result["peers"]
            ],
            missing=result["missing"],
            gemm_rate=result["gemm_flops_per_second"],
            flops=result["flops"],
            amount=result["amount"],
            unit=result["unit"],
        )
        for result in data["results"]
    ]


@cache
def device() -> str:
    """What JAX computes on, asked in a process of its own: a GPU is for the peers alone."""
    ask = "import jax; print(jax.devices()[0].device_kind)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The name of the processor, which Python itself does not know on Linux."""
    if PROCESSOR.exists():
        for line in PROCESSOR.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def computes() -> dict[str, Any]:
    """What `everystep doctor` says: which twins of the recurrent loop there are, and where from.

    In a process of its own, so that this one starts no library whose threads could get in the way.
    """
    asked = [sys.executable, "-m", "everystep", "doctor", "--json"]
    said: dict[str, Any] = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    return said


def _commit() -> str:
    """The commit that was measured; "" outside of a repository."""
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
