"""Taggers from files: of sentences or of signals, as the file says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from everystep.tagging import SignalTagger, Tagger


def load_tagger(path: Path) -> Tagger | SignalTagger:
    """Read a tagger of either kind.

    Raises:
        FormatError: the file is damaged, hostile, holds no tagger or is from a newer version.
        OSError: the file does not exist or cannot be read.
    """
    from everystep.formats import read_tensors
    from everystep.models.bundle import SIGNAL_TAGGER
    from everystep.tagging import SignalTagger, Tagger

    kind = SignalTagger if SIGNAL_TAGGER in read_tensors(path).metadata else Tagger
    return kind.load(path)
