"""Calls of the native code as anyone can make them: right ones, and right ones with a part changed.

A case is plain data, so that another process can make the call.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import assume

from everystep.kernels.extension import extension, paths
from tests.faults.native_worker import GATES, LAYOUTS

BLOCKS = (1, 4, 3, 3)
LSTM = 1
DTYPES = ["float32", "bfloat16", "int32", "uint8", "int8", "bool", "complex64", "float16"]
SIZE = st.sampled_from([0, 1, 1, 2, 3, 5, 17])
HUGE = st.sampled_from([2**31 - 1, 2**31, 2**40, 2**58])
SHAPE = st.one_of(
    st.lists(SIZE, max_size=4),
    # Of nothing, in an array that says it has more than there are addresses.
    HUGE.map(lambda size: [0, size, 3]),
)
SEED = st.integers(0, 99)


@dataclass(frozen=True)
class Array:
    """An array that a foreign function takes or gives.

    Args:
        shape: its shape.
        dtype: its dtype.
        optional: whether it may be left out, as shape (0,).
        read: whether the call looks at it at all.
    """

    shape: list[int]
    dtype: str = "float32"
    optional: bool = False
    read: bool = True

    def stands_for(self, other: "Array") -> bool:
        """Whether a call that takes this array must take the other one too."""
        absent = self.optional and other.shape == [0]
        same = (self.shape, self.dtype) == (other.shape, other.dtype)
        return absent or same or not self.read


@dataclass(frozen=True)
class Call:
    """A call of a foreign function; what it takes and gives, in order."""

    name: str
    arguments: list[Array]
    results: list[Array]
    attributes: dict[str, Any]

    @property
    def gives_nothing(self) -> bool:
        """Whether all that it gives is empty, so that XLA need not make the call at all."""
        return not any(math.prod(each.shape) for each in self.results)

    def case(self, seed: int) -> dict[str, Any]:
        """The call as plain data."""
        written = [
            [[each.shape, each.dtype, "plain", seed + number] for number, each in enumerate(group)]
            for group in (self.arguments, self.results)
        ]
        arrays = dict(zip(("arguments", "results"), written, strict=True))
        return {"kind": "foreign", "name": self.name, **arrays, "attributes": self.attributes}


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Batch, steps, features and units; where there is no row, anything may be huge."""
    batch, steps, features, units = (draw(SIZE) for _ in range(4))
    match draw(st.integers(0, 9)):
        case 0:
            batch, steps = 0, draw(HUGE)
        case 1:
            steps, features, units = draw(HUGE), 0, 0
        case 2:
            batch, units, features = 0, 0, draw(HUGE)
    return batch, steps, features, units


@st.composite
def right_calls(draw: st.DrawFn) -> Call:
    """A call whose arrays fit each other."""
    batch, steps, features, units = size = draw(sizes())
    cell = draw(st.integers(0, 3))
    shares, narrow, path = BLOCKS[cell] * units, draw(st.booleans()), draw(st.sampled_from(paths()))
    dtype = "bfloat16" if narrow else "float32"
    fitting = max(size) < 2**31 and batch * steps < 2**31
    module = extension().module
    packed = module.packed_size(path, cell, narrow, features, units) if fitting else 0
    kept = module.kept_size(path, cell, narrow, *size) if fitting else 0
    attributes: dict[str, Any] = {
        "path": path,
        "cell": cell,
        "activation": draw(st.integers(0, 4)),
        "gate_activation": draw(st.integers(0, 4)),
        "packed_rows": draw(st.booleans()),
        "reverse": draw(st.booleans()),
        "zero_output": draw(st.booleans()),
    }

    def maybe(shape: list[int], dtype: str = "float32", there: bool | None = None) -> Array:
        there = draw(st.booleans()) if there is None else there
        return Array(shape if there else [0], dtype, optional=True)

    kernels = [Array([features, shares], dtype), Array([units, shares], dtype)]
    state = Array([batch, units])
    cell_state = state if cell == LSTM else Array([0])
    values, outputs = Array([batch, steps, features], dtype), Array([batch, steps, units], dtype)
    segments = maybe([batch, steps], "int32", there=attributes["packed_rows"] or None)
    # Where rows are packed they cannot be left out.
    segments = replace(segments, optional=not attributes["packed_rows"])
    peepholes = maybe([3 * units], there=None if cell == LSTM else False)
    optional = [maybe([shares]), maybe([shares]), peepholes, segments, maybe([batch, units])]
    match draw(st.sampled_from(["pack", "forward", "backward"])):
        case "pack":
            return Call("everystep_pack", kernels, [Array([packed], "uint8")], attributes)
        case "forward":
            arguments = [values, Array([packed], "uint8"), *optional, state, cell_state]
            results = [outputs, state, cell_state, maybe([kept])]
            return Call("everystep_forward", arguments, results, attributes)
    arguments = [values, *kernels, *optional, state, cell_state]
    arguments += [outputs, Array([kept]), outputs, state, cell_state]
    results = [
        values,
        Array([features, shares]),
        Array([units, shares]),
        Array([shares]),
        Array([shares]),
        Array(peepholes.shape, read=peepholes.shape != [0]),
        state,
        cell_state,
        Array(optional[4].shape, read=optional[4].shape != [0]),
    ]
    return Call("everystep_backward", arguments, results, attributes)


@st.composite
def foreign_cases(draw: st.DrawFn) -> tuple[dict[str, Any], bool]:
    """A call, and whether it must be refused because one part of it does not fit the others."""
    call = draw(right_calls())
    assume(not call.gives_nothing or not _says_much(call))
    seed, what = draw(SEED), draw(st.integers(0, 4))
    if what == 0:
        return call.case(seed), False
    if what == 1:
        name, value = draw(
            st.sampled_from(
                [
                    *[("cell", -1), ("cell", 4), ("cell", 2**40), ("activation", 5)],
                    *[("gate_activation", -7), ("path", ""), ("path", "portable\0")],
                ]
            )
        )
        changed = replace(call, attributes=call.attributes | {name: value})
        return changed.case(seed), not call.gives_nothing
    group = draw(st.sampled_from(["arguments", "results"]))
    arrays = list(getattr(call, group))
    number = draw(st.integers(0, len(arrays) - 1))
    before = arrays[number]
    dtype, shape = draw(st.sampled_from(DTYPES)), draw(SHAPE)
    arrays[number] = replace(before, shape=shape) if what < 4 else replace(before, dtype=dtype)
    both: dict[str, Any] = {group: arrays}
    changed = replace(call, **both)
    # XLA looks at each number that a result of none says to have, and for hours.
    assume(not changed.gives_nothing or not _says_much(changed))
    fits = before.stands_for(arrays[number]) or changed.gives_nothing
    return changed.case(seed), not fits


def _says_much(call: Call) -> bool:
    return any(size > 2**20 for each in call.results for size in each.shape)


@st.composite
def arrays(draw: st.DrawFn, *shape: int, dtype: str = "float32") -> list[Any]:
    """An array of a shape, or of another one, however it lies."""
    odd = draw(st.integers(0, 19))
    if odd == 0:
        shape = tuple(draw(st.lists(SIZE, max_size=4)))
    if odd == 1:
        dtype = draw(st.sampled_from([*DTYPES, "U1", "M8[s]"]))
    layout = draw(st.sampled_from([*["plain"] * 12, *LAYOUTS]))
    return [list(shape), dtype, layout, draw(SEED)]


@st.composite
def stepping_cases(draw: st.DrawFn) -> dict[str, Any]:
    """Calls of the stepper's classes, most of which fit the ones before them."""
    batch, steps, width = draw(SIZE), draw(SIZE), draw(SIZE)
    units = draw(SIZE)
    if draw(st.integers(0, 9)) == 0:
        # A chunk of nothing, from which operations make more than there are addresses.
        batch, steps, width = draw(st.sampled_from([2**29, 2**31 - 1])), 2**29, 0
    calls: list[Any] = []
    ids = draw(st.booleans())
    inputs, dtype, states = [batch, steps], "int32", 0
    if ids:
        calls.append(["embed", [draw(arrays(draw(SIZE), width))]])
    else:
        inputs, dtype = [batch, steps, width], "float32"
    for _ in range(draw(st.integers(0, 3))):
        match draw(st.integers(0, 3)):
            case 0:
                bias = draw(st.one_of(st.none(), arrays(units)))
                calls.append(["multiply", [draw(arrays(width, units)), bias]])
                width = units
            case 1:
                calls.append(["activate", [draw(st.integers(-1, 5)), draw(_near(width))]])
            case 2:
                calls.append(["softmax", [draw(_near(width))]])
            case 3:
                cell = draw(st.integers(0, 3))
                shares = BLOCKS[cell] * units
                optional = [
                    draw(st.one_of(st.none(), arrays(size))) for size in (shares, shares, 3 * units)
                ]
                kernel = draw(st.one_of(st.none(), arrays(width, shares)))
                given = [draw(st.sampled_from([*paths(), "?"])), cell, draw(st.integers(0, 4)), 2]
                given += [draw(st.booleans()), kernel, draw(arrays(units, shares)), *optional]
                calls.append(["loop", [*given, draw(st.booleans())]])
                width, states = units, states + 1
        units = draw(SIZE)
    calls.append(["Stepper", [draw(_near(batch))]])
    for _ in range(draw(st.integers(1, 3))):
        match draw(st.integers(0, 5)):
            case 0:
                calls.append(["read", [draw(st.integers(-1, 3)), draw(arrays(batch, units))]])
            case 1:
                calls.append(["write", [draw(st.integers(-1, 3)), draw(arrays(batch, units))]])
            case 2:
                calls.append(["softmax", [width]])
                shares = 4 * width
                own = [draw(arrays(width, shares)), draw(arrays(width, shares))]
                calls.append(["loop", [paths()[0], 1, 1, 2, False, *own, None, None, None, False]])
            case _:
                mask = draw(st.one_of(st.none(), arrays(batch, steps, dtype="int32")))
                outputs = [batch, steps, width] if batch < 99 else [0]
                given = [draw(arrays(*inputs, dtype=dtype)), mask, draw(arrays(*outputs))]
                calls.append(["run", given])
    return {"kind": "stepping", "calls": calls}


def _near(size: int) -> st.SearchStrategy[int]:
    return st.sampled_from([*[size] * 12, 0, -1, size + 1, 2**31, 2**62])


@st.composite
def looped_cases(draw: st.DrawFn) -> dict[str, Any]:
    """A run of the recurrent loop from Python, by the native twin, of arrays of any kind."""
    batch, steps, features, units = (draw(SIZE) for _ in range(4))
    gates = draw(st.sampled_from(sorted(GATES)))
    shares = GATES[gates].blocks * units

    def maybe(*shape: int, dtype: str = "float32") -> Any:
        return draw(st.one_of(st.none(), arrays(*shape, dtype=dtype)))

    own = [draw(arrays(3 * units))] if gates == "peephole" else []
    kinds = st.sampled_from(["int32", "int64", "uint32", "bool", "float32"])
    return {
        "kind": "looped",
        "gates": gates,
        "arrays": {
            "inputs": draw(arrays(batch, steps, features)),
            "kernel": draw(arrays(features, shares)),
            "recurrent_kernel": draw(arrays(units, shares)),
            "bias": maybe(shares),
            "recurrent_bias": maybe(shares),
            "segments": maybe(batch, steps, dtype=draw(kinds)),
            "recurrent_dropout": maybe(batch, units),
        },
        "initial": [draw(arrays(batch, units)) for _ in range(GATES[gates].state_count)],
        "parameters": own,
        "settings": {
            "packed": draw(st.booleans()),
            "reverse": draw(st.booleans()),
            "zero_output_for_mask": draw(st.booleans()),
            "twin": "native",
        },
    }
