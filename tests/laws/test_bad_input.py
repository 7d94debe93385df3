"""What no layer can take is an error that names it; what lies oddly in memory is taken as it is.

Each kind is a line of a table, tried on every layer of the catalogue.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from everystep.errors import EverystepError
from everystep.sequences import Steps
from tests.catalogue import VOCABULARY, Entry
from tests.laws.selection import about
from tests.laws.test_masks import MASK, has_steps
from tests.trees import assert_trees_same, real

NO_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "strings": lambda x: x.astype(str),
    "bytes": lambda x: x.astype("S"),
    "objects": lambda x: x.astype(object),
    "dates": lambda x: np.zeros(x.shape, "M8[s]"),
    "times": lambda x: np.zeros(x.shape, "m8[s]"),
    "complex": lambda x: x.astype("complex64"),
    "complex of JAX": lambda x: jnp.zeros(x.shape, "complex64"),
    "records": lambda x: np.zeros(x.shape, [("a", "f4"), ("b", "i4")]),
    "void": lambda x: np.zeros(x.shape, "V4"),
    "80 bits": lambda x: x.astype("longdouble"),
    "4 bits": lambda x: jnp.zeros(x.shape, "int4"),
    "integers of 41 bits": lambda x: np.full(x.shape, 2**40),
    "a masked array": lambda x: np.ma.masked_array(x, np.zeros(x.shape, bool)),
    "a random key": lambda x: jax.random.key(0),
    "None": lambda x: None,
    "text": lambda x: "words",
    "an empty list": lambda x: [],
    "lists of numbers": lambda x: x.tolist(),
    "lists of different lengths": lambda x: [[1.0, 2.0], [3.0]],
    "no container": lambda x: {},
    "a set": lambda x: {1, 2},
    "an object": lambda x: object(),
    "a view of memory": lambda x: memoryview(x),
    "a tensor of another library": lambda x: Tensor(x),
}


class Tensor:
    """An array of another library, which NumPy and JAX can read."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self._array

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


ODDLY_LAID: dict[str, Callable[[Any], Any]] = {
    "in Fortran's order": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "reversed": lambda x: np.flip(np.flip(x).copy()),
    "misaligned": lambda x: misaligned(x),
    "read-only": lambda x: read_only(x),
    "the other byte order": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "of 64 bits": lambda x: x.astype("f8" if x.dtype.kind == "f" else "i8"),
    "a class of one's own": lambda x: x.view(Own),
}


class Own(np.ndarray):
    """An array as libraries derive it from NumPy's."""


def misaligned(array: Any) -> Any:
    shifted = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    shifted[...] = array
    return shifted


def read_only(array: Any) -> Any:
    array = array.copy()
    array.flags.writeable = False
    return array


NEW_SHAPES: dict[str, Callable[[tuple[int, ...]], tuple[int, ...]]] = {
    "one number": lambda shape: (),
    "one axis": lambda shape: (3,),
    "an axis fewer": lambda shape: shape[:-1],
    "an axis more": lambda shape: (*shape, 2),
    "no features": lambda shape: (*shape[:-1], 0),
    "no steps": lambda shape: (shape[0], 0, *shape[2:]),
}
OTHER_SHAPES: dict[str, Callable[[tuple[int, ...]], tuple[int, ...]]] = {
    "an axis fewer": lambda shape: shape[:-1],
    "an axis more": lambda shape: (*shape, 2),
    "more features": lambda shape: (*shape[:-1], shape[-1] + 4),
    "no features": lambda shape: (*shape[:-1], 0),
    "more steps": lambda shape: (shape[0], shape[1] + 3, *shape[2:]),
    "no rows": lambda shape: (0, *shape[1:]),
}
MASKS: dict[str, Any] = {
    "strings": MASK.astype(str),
    "objects": MASK.astype(object),
    "complex": MASK.astype("complex64"),
    "dates": MASK.astype("M8[s]"),
    "lists of different lengths": [[True, False], [True]],
    "one number": np.int32(1),
    "one axis": MASK[0],
    "one row for all": MASK[:1],
    "one step for all": MASK[:, :1],
    "axes swapped": MASK.T,
    "nothing": np.zeros(0),
}
IDS = np.array([[1, 1, 2, 0, 2], [3, 0, 4, 4, 4]], "int32")
SEGMENTS: dict[str, Any] = {
    "floats": IDS.astype("float32"),
    "bool": IDS != 0,
    "strings": IDS.astype(str),
    "a list": IDS.tolist(),
    "None": None,
    "one axis": IDS[0],
    "one row for all": IDS[:1],
    "one step for all": IDS[:, :1],
    "fewer steps": IDS[:, :3],
    "negative": -IDS,
    "over 31 bits": IDS.astype("int64") * 2**31,
    "out of order": np.array([[1, 2, 1, 2, 1], [3, 4, 3, 4, 3]]),
    "in two rows": np.array([[1, 1, 2, 2, 2], [2, 2, 3, 3, 3]]),
}


# What is said of arrays at the door of every layer is tried on one of each kind of arithmetic.
SOME = ["Dense", "LSTM", "RNN", "Bidirectional ave", "Attention", "BatchNormalization", "CRF"]


def call(layer: Any, entry: Entry, inputs: Any, **options: Any) -> Any:
    return layer(inputs, *entry.arguments(), **options)


def in_words(act: Callable[[], Any]) -> str:
    """What is wrong with how something bad was taken, or "" where an error of ours names a layer.

    Layers inside of layers may be the ones to refuse. What a layer of a user raises stays as it is.
    """
    try:
        outputs = act()
    except EverystepError as error:
        return "" if "layer '" in str(error).lower() else f"names no layer: {error}"
    except Exception as error:
        of_a_user = any("(Tally)" in note for note in getattr(error, "__notes__", []))
        return "" if of_a_user else f"{type(error).__name__}: {error}"
    return f"gave {outputs!r}"


def taken(kinds: dict[str, Any], act: Callable[[Any], Any]) -> dict[str, str]:
    """What is wrong, by the kinds of which something is."""
    words = {kind: in_words(lambda given=given: act(given)) for kind, given in kinds.items()}  # type: ignore[misc]
    return {kind: said for kind, said in words.items() if said}


def shapes_built(entry: Entry) -> Any:
    """A layer that is built and has compiled nothing."""
    layer = entry.make()
    jax.eval_shape(lambda: call(layer, entry, entry.inputs()))
    return layer


@about(lambda entry: not entry.variant)
def test_what_holds_no_numbers_is_refused_by_name(entry: Entry) -> None:
    given = {kind: make(entry.inputs()) for kind, make in NO_NUMBERS.items()}
    layer = entry.make()
    assert not taken(given, lambda x: call(layer, entry, x))


@about(lambda entry: not entry.variant)
@pytest.mark.parametrize("new", [False, True])
def test_a_shape_is_taken_as_it_is_or_refused_by_name(entry: Entry, new: bool) -> None:
    """On shapes alone, by a layer that has been built for another one or by a new one."""
    dtype = "int32" if entry.ids else "float32"
    built = None if new else shapes_built(entry)

    def act(shape: Any) -> Any:
        spec = jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]
        return jax.eval_shape(lambda x: call(built or entry.make(), entry, x), spec)

    kinds = NEW_SHAPES if new else OTHER_SHAPES
    found = taken({kind: change(entry.shape) for kind, change in kinds.items()}, act)
    assert not {kind: words for kind, words in found.items() if not words.startswith("gave ")}


@about(lambda entry: has_steps(entry) and not entry.variant and entry.name != "Softmax")
def test_a_mask_that_says_nothing_of_each_step_is_refused_by_name(entry: Entry) -> None:
    layer, inputs = entry.make(), entry.inputs()
    assert not taken(MASKS, lambda mask: call(layer, entry, inputs, mask=mask))


@about(lambda entry: has_steps(entry) and not entry.variant)
def test_segments_that_name_no_sequences_are_refused_by_name(entry: Entry) -> None:
    layer, inputs = entry.make(), entry.inputs()
    assert not taken(SEGMENTS, lambda ids: call(layer, entry, Steps(inputs, ids, packed=True)))


@about(lambda entry: not entry.variant)
def test_what_lies_oddly_in_memory_is_taken_as_it_is(entry: Entry) -> None:
    layer = entry.built()
    wanted = call(layer, entry, entry.inputs())
    for make in ODDLY_LAID.values():
        assert_trees_same(call(layer, entry, make(entry.inputs())), wanted)


@about(lambda entry: entry.name in SOME)
def test_a_mask_may_be_of_any_numbers(entry: Entry) -> None:
    layer, inputs = entry.built(), entry.inputs()
    wanted = real(layer(inputs, mask=MASK))
    for mask in (MASK * 2**40, MASK.astype(">f4"), MASK.astype("uint8") * 255, MASK.tolist()):
        assert_trees_same(real(layer(inputs, mask=mask)), wanted)


@about(lambda entry: entry.name in SOME)
def test_segments_may_be_of_any_integers(entry: Entry) -> None:
    layer, inputs = entry.built(), entry.inputs()
    wanted = real(layer(Steps.of(inputs, IDS)))
    for ids in (IDS.astype(">i8"), IDS.astype("uint8"), IDS + np.where(IDS, 2**31 - 9, 0)):
        assert_trees_same(real(layer(Steps(inputs, ids, packed=True))), wanted)


@about(lambda entry: entry.ids)
@pytest.mark.parametrize("number", [-1, VOCABULARY, 0.5, np.nan])
def test_what_is_in_no_vocabulary_is_refused_by_name(entry: Entry, number: float) -> None:
    ids = np.where(MASK, number, 1)
    for layer in (entry.make(), entry.built()):
        assert not in_words(lambda layer=layer: layer(ids))  # type: ignore[misc]
