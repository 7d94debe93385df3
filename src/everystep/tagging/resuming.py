"""What makes a training known again, and what it adds up over interruptions."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from everystep import kinds
from everystep.callbacks import Callback
from everystep.callbacks.base import Logs
from everystep.errors import FormatError
from everystep.formats import write_json
from everystep.tagging.ranges import Ranged
from everystep.training.progress import seconds_since


class Known(Callback):
    """Keeps with a checkpoint which training it is of, and how long that has taken.

    Args:
        identity: what is the same only for the same settings and data, as text.
    """

    kept: ClassVar[Mapping[str, Any]] = {"identity": str, "seconds": kinds.NOT_NEGATIVE}

    def __init__(self, identity: str) -> None:
        super().__init__()
        self.identity = identity
        self._before, self._began = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """How long training has taken, without what an interruption lost."""
        return self._before + seconds_since(self._began)

    @seconds.setter
    def seconds(self, before: float) -> None:
        self._before, self._began = before, time.monotonic()

    def on_train_begin(self, logs: Logs = None) -> None:
        """Count from here."""
        self.seconds = 0.0

    def check_state(self, state: Mapping[str, Any]) -> None:
        """Refuse the state of another training."""
        super().check_state(state)
        if state["identity"] != self.identity:
            raise FormatError(
                "is not of a training with these settings and these data: give the same as before, "
                "or start anew"
            )


def identity_of(settings: Ranged, *parts: Iterable[bytes]) -> str:
    """Return what is the same only for the same settings and the same data in each part."""
    digest = hashlib.sha256()
    for part in parts:
        for each in part:
            digest.update(each)
        digest.update(b"\0")
    return write_json([settings.to_dict(), digest.hexdigest()])
