"""Every call that checkpoints make in a training fails once: the same call of fit then goes on."""

import errno
import tempfile
from pathlib import Path
from typing import Any

from tests.faults.disk import FAULTS, Disk, Fault
from tests.faults.tally import Tally, expect
from tests.faults.training import Training

KEPT: dict[str, Any] = {"kept": {"save_freq": "epoch", "monitor": "loss"}}
BEST = "best.checkpoint"


def _failed(training: Training, folder: Path, fault: Fault, at: int) -> bool:
    """Train with one call that fails; return whether there was such a call."""
    error: Any = None
    with Disk(folder, fault, at).misbehaving() as disk:
        try:
            training.run(folder, **KEPT)
        except (OSError, KeyboardInterrupt) as raised:
            error = raised
    if disk.failed:
        expect(error is not None, f"nobody heard of the {disk.failed[0]} that failed")
    if getattr(error, "errno", None) in errno.errorcode:
        expect(str(error.filename).startswith(f"{folder}"), f"{error!r} names no file of {folder}")
    training.goes_on(folder, **KEPT)
    return bool(disk.failed)


def survived(training: Training, fault: Fault, best: bytes, every: int) -> Tally:
    """Let each call of a whole training fail in one way, or every so many of them."""
    tally = Tally(f"{fault.name}, at a call of checkpoints in a training")

    def fails(at: int) -> bool:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve() / "run"
            failed = _failed(training, folder, fault, at)
            expect((folder / BEST).read_bytes() == best, "the best is another one")
            return failed

    tally.at_each_call("checkpoints", fails, every)
    return tally


def made(quick: bool) -> list[Tally]:
    """Make the faults of whole calls at all of them, or one at every third."""
    training = Training()
    with tempfile.TemporaryDirectory() as name:
        training.run(Path(name), **KEPT)
        best = Path(name, BEST).read_bytes()
    faults = [fault for fault in FAULTS if fault.share == 1]
    if quick:
        return [survived(training, faults[1], best, every=3)]
    return [survived(training, fault, best, every=1) for fault in faults]
