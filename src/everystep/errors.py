"""The one tree of errors: every error that everystep raises on purpose is an `EverystepError`.

Each message says what was asked, what came, and the cure. Each class is also the built-in error
that Keras or Python raises in the same place, so that existing `except ValueError` keeps working.
An error of the operating system, such as a file that is not there, passes as the `OSError` that it
is; an error that a layer or function of your own raises passes as it is, with a note that names the
layer. Arguments that a function does not have are Python's own `TypeError`.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ContradictionError",
    "CorpusError",
    "DataError",
    "EverystepError",
    "ExplanationError",
    "FormatError",
    "IdentifierError",
    "PackedRowsError",
    "SegmentsError",
    "SettingError",
    "ShapeError",
    "StateError",
    "StreamError",
]


def cure_of_name(name: object, known: Iterable[str]) -> str:
    """Return what messages say to a name that nothing has: the nearest one, or all that there are.

    Example:
        >>> cure_of_name("adamm", ["adam", "sgd"]), cure_of_name("x", ["adam", "sgd"])
        ("did you mean 'adam'?", 'there are adam, sgd')
    """
    names = list(known)
    return nearest(name, names) or f"there are {', '.join(names)}"


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the question whether a known name was meant; nothing if none is like this one."""
    near = difflib.get_close_matches(str(name), list(known), 1)
    return f"did you mean '{near[0]}'?" if near else ""


class EverystepError(Exception):
    """Root of all errors that everystep raises on purpose.

    Example:
        >>> import everystep as es
        >>> try:
        ...     es.layers.Dense(units=0)
        ... except es.errors.EverystepError as error:
        ...     print(error)
        Dense: units must be a positive integer, not 0
    """


class SettingError(EverystepError, ValueError):
    """A layer, loss, optimizer, function or command was given a setting that it cannot take.

    Example:
        >>> import everystep as es
        >>> es.layers.Dense(5, activation="tahn")
        Traceback (most recent call last):
        everystep.errors.SettingError: Dense: activation: ... did you mean 'tanh'?
    """


class IdentifierError(SettingError, TypeError):
    """What should name a loss, a metric or the like is neither a name nor something to call.

    Example:
        >>> import everystep as es
        >>> es.losses.get(3)
        Traceback (most recent call last):
        everystep.errors.IdentifierError: ... the loss must be a name or a callable, not 3
    """


class ShapeError(EverystepError, ValueError):
    """An array has the wrong rank, size or number of steps for the layer that it is given to.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.LSTM(5, name="read")(np.ones((2, 3), "float32"))
        Traceback (most recent call last):
        everystep.errors.ShapeError: ...layer 'read' (LSTM)...expected ndim=3, found ndim=2...
    """


class DataError(EverystepError, ValueError):
    """Input, labels or weights hold something that cannot be used: wrong kind, id or length.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Embedding(7, 3, name="words")(np.array([[9]]))
        Traceback (most recent call last):
        everystep.errors.DataError: layer 'words' (Embedding)...id 9 at position (0, 0)...
    """


class SegmentsError(EverystepError, ValueError):
    """A layer would lose or misuse the mask or segments that its input carries.

    Example:
        >>> import everystep as es, numpy as np
        >>> es.layers.Flatten(name="flat")(np.ones((1, 4, 3)), mask=np.ones((1, 4), bool))
        Traceback (most recent call last):
        everystep.errors.SegmentsError: layer 'flat' (Flatten)...would lose the mask...
    """


class PackedRowsError(SegmentsError):
    """A layer can take one sequence a row, but was given rows that hold several sequences.

    Example:
        >>> import everystep as es, numpy as np
        >>> rows = es.pack([np.ones((4, 3), "float32")])
        >>> es.layers.Conv1D(2, 2, strides=2, name="read")(rows)
        Traceback (most recent call last):
        everystep.errors.PackedRowsError: layer 'read' (Conv1D) ...
    """


class StateError(EverystepError, RuntimeError, ValueError):
    """Something was asked before what it needs exists, such as weights before `build`.

    Example:
        >>> import everystep as es
        >>> es.Sequential([es.layers.Dense(5)]).fit([], [])
        Traceback (most recent call last):
        everystep.errors.StateError: You must call `compile()` before using the model: ...
    """


class StreamError(EverystepError, ValueError):
    """A model cannot go on from chunk to chunk; the message names the layer and why.

    Example:
        >>> import everystep as es
        >>> both = es.layers.Bidirectional(es.layers.LSTM(5, return_sequences=True), name="both")
        >>> es.Sequential([es.Input((None, 3)), both]).stream()
        Traceback (most recent call last):
        everystep.errors.StreamError: ...both' (Bidirectional)...
    """


class FormatError(EverystepError, ValueError):
    """A file is damaged, hostile, of another format, or written by a newer version.

    Example:
        >>> import everystep as es, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "model.everystep")
        ...     size = path.write_bytes(b"nothing of a model")
        ...     es.load_model(path)
        Traceback (most recent call last):
        everystep.errors.FormatError: ...model.everystep...
    """


class CorpusError(EverystepError, ValueError):
    r"""A corpus cannot be read; the message names the file and, where there is one, the line.

    Example:
        >>> import everystep as es, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "corpus.conllu")
        ...     size = path.write_text("1\tThe\tthe")
        ...     list(es.corpora.reader("conllu", "upos").read(path))
        Traceback (most recent call last):
        everystep.errors.CorpusError: ...corpus.conllu:1: expected 10 columns...
    """


class ContradictionError(EverystepError, RuntimeError):
    """Two ways to find out the same thing disagree: a fault of everystep, not of what was asked.

    Nothing that can be asked of everystep is known to bring it; `explain` raises it where a change
    of an input step reached an output step that by the program cannot depend on it.
    """


class ExplanationError(EverystepError, AssertionError):
    """A model is not what a test asserts of it, or could not be proven to be.

    Example:
        >>> import everystep as es
        >>> es.assert_causal(es.layers.Conv1D(5, 3, padding="same", name="wide"), (None, 4, 2))
        Traceback (most recent call last):
        everystep.errors.ExplanationError: Conv1D 'wide' is not causal: step 0 of outputs (of 4) ...
    """
