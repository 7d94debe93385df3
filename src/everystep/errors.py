"""The one tree of errors: every error that everystep raises on purpose is an `EverystepError`.

Each message says what was asked, what came, and the cure. Each class is also the built-in error
that Keras or Python raises in the same place, so that existing `except ValueError` keeps working.
"""


class EverystepError(Exception):
    """Root of all errors that everystep raises on purpose."""


class SettingError(EverystepError, ValueError):
    """A layer, loss, optimizer or command was given a setting that it cannot take."""


class ShapeError(EverystepError, ValueError):
    """An array has the wrong rank, size or number of steps for the layer that it is given to."""


class DataError(EverystepError, ValueError):
    """Input, labels or weights hold something that cannot be used: wrong kind, id or length."""


class SegmentsError(EverystepError, ValueError):
    """A layer would lose or misuse the mask or segments that its input carries."""


class PackedRowsError(SegmentsError):
    """A layer can take one sequence a row, but was given rows that hold several sequences."""


class StateError(EverystepError, RuntimeError, ValueError):
    """Something was asked before what it needs exists, such as weights before `build`."""


class StreamError(EverystepError, ValueError):
    """A model cannot go on from chunk to chunk; the message names the layer and why."""


class FormatError(EverystepError, ValueError):
    """A file is damaged, hostile, of another format, or written by a newer version."""


class CorpusError(EverystepError, ValueError):
    """A corpus cannot be read; the message names the file and, where there is one, the line."""


class ContradictionError(EverystepError, RuntimeError):
    """Two ways to find out the same thing disagree: a fault of everystep, not of what was asked."""


class ExplanationError(EverystepError, AssertionError):
    """A model is not what a test asserts of it, or could not be proven to be."""
