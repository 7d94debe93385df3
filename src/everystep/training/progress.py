"""How far a run over batches has got: a bar on a terminal, a plain line, or nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from everystep.errors import SettingError
from everystep.kinds import shown

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

REDRAW_AFTER = 0.1
"""Seconds between two drawings of a bar."""


def progress_for(verbose: str | int, title: str) -> Progress:
    """Return what shows the progress of one epoch or one run over the data.

    Use it in a `with` block: `start` with the number of batches, `advance` after each one, `finish`
    with the final measures.

    Args:
        verbose: 0 is silent; 1 a bar, or a line where there is no terminal; 2 a line at the end;
            `"auto"` a bar on a terminal or in a notebook, and silent elsewhere.
        title: what is running.

    Raises:
        SettingError: `verbose` is none of these.

    Example:
        >>> with progress_for(0, "Epoch 1/2") as progress:
        ...     progress.start(3)
        ...     progress.advance({"loss": 0.5}, 20)
        ...     progress.finish({"loss": 0.5})
    """
    if verbose not in (0, 1, 2, "auto"):
        raise SettingError(f"verbose must be 0, 1, 2 or 'auto', not {shown(verbose)}")
    if verbose in (1, "auto") and _can_draw():
        return Bar(title)
    return Line(title) if verbose in (1, 2) else Progress(title)


def seconds_since(began: float) -> float:
    """Return the seconds since a reading of `time.monotonic`, never fewer than 0.

    A machine that sleeps or is moved may set even this clock back.
    """
    return max(0.0, time.monotonic() - began)


def _can_draw() -> bool:
    """Whether standard output can redraw a line, so that no control character reaches a pipe."""
    if "ipykernel" in sys.modules:
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


@dataclass
class Progress:
    """Silent progress, and what the others know: batches, real steps, measures and time.

    Args:
        title: what is running.
    """

    title: str
    total: int = 0
    filled: str = ""
    batches: int = 0
    real_steps: int = 0
    logs: Mapping[str, Any] = field(default_factory=dict)
    began: float = 0.0
    warm: tuple[int, int, float] | None = None

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the screen as it is."""

    def start(self, total: int, filled: str = "") -> None:
        """Begin.

        Args:
            total: how many batches are to come; 0 where nobody knows.
            filled: in words, how much of them are real steps, where there is padding.
        """
        self.total, self.filled = total, filled

    def advance(self, logs: Mapping[str, Any], real_steps: int, batches: int = 1) -> None:
        """Note one more batch, or several.

        Args:
            logs: the measures so far, numbers or scalars on the device.
            real_steps: how many real steps they held.
            batches: how many they were.
        """
        self.batches += batches
        self.real_steps += real_steps
        self.logs = logs

    def finish(self, logs: Mapping[str, Any]) -> None:
        """End with the final measures."""
        self.logs = logs

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return seconds_since(self.began)

    def pace(self) -> tuple[int, int, float]:
        """Return batches, real steps and the seconds that they took, compilation apart."""
        if self.warm is None or self.warm[0] == self.batches:
            return self.batches, self.real_steps, self.elapsed
        batches, real_steps, since = self.warm
        return self.batches - batches, self.real_steps - real_steps, seconds_since(since)

    def note_warm(self) -> None:
        """Let the pace count from here, if it does not yet: the device has caught up."""
        # The first batch takes the compilation with it.
        self.warm = self.warm or (self.batches, self.real_steps, time.monotonic())


class Line(Progress):
    """One plain line at the end."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._speed = ""

    def advance(self, logs: Mapping[str, Any], real_steps: int, batches: int = 1) -> None:
        """Note one more batch, or several, and the time after the first and the last ones."""
        super().advance(logs, real_steps, batches)
        if self.warm is None or self.batches == self.total:
            _measures(logs)  # Waits until the device has caught up.
            # What follows the last one, such as validation, says nothing about the speed.
            self._speed = _speed(*self.pace()[1:])
            self.note_warm()

    def finish(self, logs: Mapping[str, Any]) -> None:
        """Write the line."""
        super().finish(logs)
        parts = [
            self.title,
            f"{self.batches}/{self.total}",
            _clock(self.elapsed),
            *_measures(logs),
            self._speed,
            *filter(None, [self.filled]),
        ]
        sys.stdout.write(f"{' - '.join(parts)}\n")
        sys.stdout.flush()


class Bar(Progress):
    """A bar that is redrawn in place, and stays as one line with all measures."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._live: Live | None = None
        self._drawn = 0.0
        self._speed = ""

    def start(self, total: int, filled: str = "") -> None:
        """Show the empty bar."""
        from rich.console import Console
        from rich.live import Live

        super().start(total, filled)
        self._live = Live(self._row(), console=Console(), auto_refresh=False)
        self._live.start(refresh=True)
        self._drawn = time.monotonic()

    def advance(self, logs: Mapping[str, Any], real_steps: int, batches: int = 1) -> None:
        """Note one more batch, or several, and redraw if the last drawing is old."""
        super().advance(logs, real_steps, batches)
        old = seconds_since(self._drawn) >= REDRAW_AFTER
        if self._live is not None and (old or self.batches == self.total):
            # Only here the measures are read, which waits until the device has caught up.
            self._live.update(self._row(), refresh=True)
            self._drawn = time.monotonic()
            self.note_warm()

    def finish(self, logs: Mapping[str, Any]) -> None:
        """Leave the last state on the screen."""
        from rich.text import Text

        super().finish(logs)
        if self._live is None:
            return
        words = [f"{self.batches}/{self.total}", _clock(self.elapsed), *_measures(logs)]
        words += filter(None, [self._speed, self.filled])
        line = Text.assemble((self.title, "bold"), " ", ("━" * 8, "green"), " ", "  ".join(words))
        self._live.update(line, refresh=True)

    def __exit__(self, *error: object) -> None:
        """Give the screen back, after an error too."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _row(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        measures = _measures(self.logs)  # First, because it waits: the times are then true.
        batches, real_steps, seconds = self.pace()
        known = batches and self.total
        left = seconds / batches * (self.total - self.batches) if known else None
        eta = "-:--" if left is None else _clock(left)
        words = [
            f"{self.batches}/{self.total or '?'}",
            _clock(self.elapsed),
            f"ETA {eta}",
            *measures,
        ]
        self._speed = _speed(real_steps, seconds)
        words.append(self._speed)
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(no_wrap=True, style="bold")
        row.add_column(ratio=1, min_width=4)
        row.add_column(no_wrap=True)
        row.add_row(
            self.title,
            ProgressBar(total=max(self.total, 1), completed=self.batches),
            "  ".join(words),
        )
        return row


def _clock(seconds: float) -> str:
    """Return a time in minutes and seconds, with hours if there are any.

    >>> _clock(75.2), _clock(3700)
    ('1:15', '1:01:40')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _speed(real_steps: int, seconds: float) -> str:
    return f"{real_steps / seconds if seconds else 0:,.0f} steps/s"


def _measures(logs: Mapping[str, Any]) -> list[str]:
    return [f"{name} {_value(value)}" for name, value in logs.items()]


def _value(value: Any) -> str:
    """Return four digits after the point, or four significant ones of a very small number.

    >>> _value(0.51234), _value(0.0000123), _value([0.5, 1.0])
    ('0.5123', '1.2300e-05', '[0.5000, 1.0000]')
    """
    if np.ndim(value):
        return f"[{', '.join(map(_value, value))}]"
    value = float(value)
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0 else f"{value:.4e}"
