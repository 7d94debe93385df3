"""What rules rely on in JAX: names of primitives, their parameters, the order of their operands.

JAX promises none of it. Where a new version differs, a test here says so before maps go wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.experimental import hijax
from jax.extend.core import ClosedJaxpr, Jaxpr

from everystep.explanation.reading.layouts import Scan, While, programs_in
from everystep.explanation.reading.rules import RULES
from tests.explanation.reading.maps import map_of

X = np.ones((2, 5, 3), np.float32)
MATRIX = np.eye(3, dtype=np.float32)
IDS = np.array([1, 0], np.int32)
MODES = lax.GatherScatterMode


@dataclass(frozen=True)
class Contract:
    """What an equation of a primitive looks like.

    Args:
        primitive: its name.
        function: traced on `X`, it has such an equation.
        operands: the shape of each operand.
        parameters: the value of each parameter that is read, or its type.
    """

    primitive: str
    function: Callable[[Any], Any]
    operands: list[tuple[int, ...]]
    parameters: dict[str, Any] = field(default_factory=dict)


WINDOW = {
    "window_dimensions": (1, 2, 1),
    "window_strides": (1, 2, 1),
    "padding": ((0, 0), (1, 0), (0, 0)),
}


def largest(x: Any) -> Any:
    pads = ((0, 0), (1, 0), (0, 0))
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 1), (1, 2, 1), pads)


def convolved(x: Any) -> Any:
    return lax.conv_general_dilated(
        x,
        jnp.ones((2, 3, 4)),
        (2,),
        ((1, 0),),
        lhs_dilation=(1,),
        rhs_dilation=(3,),
        dimension_numbers=("NWC", "WIO", "NWC"),
    )


@jax.custom_jvp
def own_derivative(x: Any) -> Any:
    return jnp.sin(x)


own_derivative.defjvp(lambda primals, tangents: (own_derivative(*primals), tangents[0]))


@jax.custom_vjp
def own_gradient(x: Any) -> Any:
    return jnp.sin(x)


own_gradient.defvjp(lambda x: (own_gradient(x), None), lambda _, gradient: (gradient,))

DILATED = {"base_dilation": (1, 1, 1), "window_dilation": (1, 1, 1)}
SLICED = {"slice_sizes": (2, 1, 3), "mode": MODES.PROMISE_IN_BOUNDS, "fill_value": None}

CONTRACTS = [
    Contract(
        "reshape", lambda x: x.reshape(10, 3), [X.shape], {"new_sizes": (10, 3), "dimensions": None}
    ),
    Contract("transpose", lambda x: x.mT, [X.shape], {"permutation": (0, 2, 1)}),
    Contract(
        "broadcast_in_dim",
        lambda x: jnp.broadcast_to(x, (4, *X.shape)),
        [X.shape],
        {"shape": (4, *X.shape), "broadcast_dimensions": (1, 2, 3)},
    ),
    Contract(
        "slice",
        lambda x: lax.slice(x, (0, 1, 0), (2, 5, 3), (1, 2, 1)),
        [X.shape],
        {"start_indices": (0, 1, 0), "limit_indices": (2, 5, 3), "strides": (1, 2, 1)},
    ),
    Contract(
        "pad",
        lambda x: lax.pad(x, 0.0, ((0, 0, 0), (1, 2, 3), (0, 0, 0))),
        [X.shape, ()],
        {"padding_config": ((0, 0, 0), (1, 2, 3), (0, 0, 0))},
    ),
    Contract("rev", lambda x: lax.rev(x, (1,)), [X.shape], {"dimensions": (1,)}),
    Contract("concatenate", lambda x: lax.concatenate([x, x], 1), [X.shape] * 2, {"dimension": 1}),
    Contract("squeeze", lambda x: lax.squeeze(x[:1], (0,)), [(1, 5, 3)], {"dimensions": (0,)}),
    Contract("split", lambda x: lax.split(x, (2, 3), 1), [X.shape], {"sizes": (2, 3), "axis": 1}),
    Contract(
        "iota", lambda x: x + lax.broadcasted_iota(np.float32, X.shape, 1), [], {"dimension": 1}
    ),
    Contract("select_n", lambda x: lax.select_n(x > 0, x, x), [X.shape] * 3),
    Contract("clamp", lambda x: lax.clamp(0.0, x, 1.0), [(), X.shape, ()]),
    Contract("integer_pow", lambda x: x**3, [X.shape], {"y": 3}),
    Contract(
        "convert_element_type",
        lambda x: x.astype("int32"),
        [X.shape],
        {"new_dtype": np.dtype("int32")},
    ),
    Contract(
        "dot_general",
        lambda x: lax.dot_general(x, x, (((1,), (1,)), ((0,), (0,)))),
        [X.shape] * 2,
        {"dimension_numbers": (((1,), (1,)), ((0,), (0,)))},
    ),
    Contract("reduce_sum", lambda x: x.sum(1), [X.shape], {"axes": (1,)}),
    Contract(
        "reduce",
        lambda x: lax.reduce(x, 0.0, lambda a, b: a * b + a, (1,)),
        [X.shape, ()],
        {"dimensions": (1,)},
    ),
    Contract("argmax", lambda x: jnp.argmax(x, 1), [X.shape], {"axes": (1,)}),
    Contract(
        "cumsum", lambda x: lax.cumsum(x, 1, reverse=True), [X.shape], {"axis": 1, "reverse": True}
    ),
    Contract(
        "sort",
        lambda x: lax.sort([x, x], dimension=1, num_keys=2),
        [X.shape] * 2,
        {"dimension": 1, "num_keys": 2},
    ),
    Contract("top_k", lambda x: lax.top_k(x, 2), [X.shape], {"axis": 2}),
    Contract(
        "approx_top_k", lambda x: lax.approx_max_k(x, 2), [X.shape], {"reduction_dimension": int}
    ),
    Contract("fft", lambda x: jnp.fft.fft(x, axis=-1), [X.shape], {"fft_lengths": (3,)}),
    Contract("reduce_window_max", largest, [X.shape], {**WINDOW, **DILATED}),
    Contract(
        "reduce_window_sum",
        lambda x: lax.reduce_window(
            x, 0.0, lax.add, (1, 2, 1), (1, 2, 1), ((0, 0), (1, 0), (0, 0))
        ),
        [X.shape],
        {**WINDOW, **DILATED},
    ),
    Contract(
        "reduce_window",
        lambda x: lax.reduce_window(
            x, 0.0, lambda a, b: a * b + a, (1, 2, 1), (1, 2, 1), ((0, 0), (1, 0), (0, 0))
        ),
        [X.shape, ()],
        {**WINDOW, **DILATED},
    ),
    Contract(
        "select_and_scatter_add",
        jax.grad(lambda x: largest(x).sum()),
        [(2, 3, 3), X.shape],
        WINDOW,
    ),
    Contract(
        "select_and_gather_add",
        lambda x: jax.jvp(largest, (x,), (x,)),
        [X.shape] * 2,
        {**WINDOW, **DILATED},
    ),
    Contract(
        "conv_general_dilated",
        convolved,
        [X.shape, (2, 3, 4)],
        {
            "window_strides": (2,),
            "padding": ((1, 0),),
            "lhs_dilation": (1,),
            "rhs_dilation": (3,),
            "feature_group_count": 1,
            "batch_group_count": 1,
            "preferred_element_type": None,
        },
    ),
    Contract("gather", lambda x: x[:, IDS], [X.shape, (2, 1)], SLICED),
    Contract(
        "scatter",
        lambda x: x.at[:, IDS].set(1.0),
        [X.shape, (2, 1), (2, 2, 3)],
        {"update_jaxpr": (Jaxpr, type(None)), "mode": MODES.FILL_OR_DROP},
    ),
    Contract(
        "scatter-add",
        lambda x: x.at[:, IDS].add(1.0),
        [X.shape, (2, 1), (2, 2, 3)],
        {"mode": MODES.FILL_OR_DROP},
    ),
    Contract(
        "dynamic_slice",
        lambda x: lax.dynamic_slice(x, (0, x[0, 0, 0].astype(int), 0), (2, 1, 3)),
        [X.shape, (), (), ()],
        {"slice_sizes": (2, 1, 3)},
    ),
    Contract(
        "dynamic_update_slice",
        lambda x: lax.dynamic_update_slice(x, x[:, :1], (0, 1, 0)),
        [X.shape, (2, 1, 3), (), (), ()],
    ),
    Contract("cholesky", lambda x: jnp.linalg.cholesky(x[:, :3]), [(2, 3, 3)]),
    Contract(
        "triangular_solve",
        lambda x: lax.linalg.triangular_solve(
            MATRIX, x[0], left_side=False, lower=True, transpose_a=True
        ),
        [(3, 3), (5, 3)],
        {"left_side": False, "lower": True, "transpose_a": True},
    ),
    Contract("eigh", lambda x: jnp.linalg.eigh(x[:, :3]), [(2, 3, 3)]),
    Contract("svd", jnp.linalg.svd, [X.shape]),
    Contract(
        "random_bits", lambda x: jax.random.bits(jax.random.split(jax.random.key(0))[0]), [()]
    ),
    Contract("jit", lambda x: jax.jit(jnp.sin)(x), [X.shape], {"jaxpr": ClosedJaxpr}),
    Contract("remat2", lambda x: jax.checkpoint(jnp.sin)(x), [X.shape], {"jaxpr": Jaxpr}),
    Contract("custom_jvp_call", own_derivative, [X.shape], {"call_jaxpr": ClosedJaxpr}),
    Contract("custom_vjp_call", own_gradient, [X.shape], {"call_jaxpr": ClosedJaxpr}),
    Contract(
        "cond",
        lambda x: lax.cond(x[0, 0, 0] > 0, jnp.sin, jnp.cos, x),
        [(), X.shape],
        {"branches": tuple},
    ),
]


def equations(program: Any) -> Iterator[Any]:
    """Every equation of a program, and of the programs inside it."""
    for equation in program.eqns:
        yield equation
        for inner in jax.tree.leaves(equation.params, is_leaf=_is_program):
            if _is_program(inner):
                yield from equations(getattr(inner, "jaxpr", inner))


def _is_program(value: Any) -> bool:
    return isinstance(value, Jaxpr | ClosedJaxpr)


def equation_of(primitive: str, function: Callable[[Any], Any]) -> Any:
    program: Any = jax.make_jaxpr(function)(X).jaxpr
    found = {each.primitive.name: each for each in equations(program)}
    assert primitive in found, (
        f"JAX {jax.__version__} has other primitives where it had {primitive}: {sorted(found)}. "
        "Give them rules in everystep.explanation.reading.rules"
    )
    return found[primitive]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.primitive)
def test_jax_lays_out_equations_as_the_rules_read_them(contract: Contract) -> None:
    equation = equation_of(contract.primitive, contract.function)
    differs = f"JAX {jax.__version__} lays out {contract.primitive} in another way than before: "
    assert contract.primitive in RULES
    assert [each.aval.shape for each in equation.invars] == contract.operands, differs + "operands"
    for name, wanted in contract.parameters.items():
        assert name in equation.params, f"{differs}{sorted(equation.params)} without {name}"
        found = equation.params[name]
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        as_kind = all(isinstance(kind, type) for kind in kinds) and isinstance(found, kinds)
        assert as_kind or found == wanted, f"{differs}{name} is {found}"


@pytest.mark.parametrize(
    ("primitive", "function", "fields"),
    [
        (
            "gather",
            lambda x: jnp.take_along_axis(x, IDS[:, None, None], axis=1),
            {
                "offset_dims": (2,),
                "collapsed_slice_dims": (1,),
                "start_index_map": (1,),
                "operand_batching_dims": (0,),
                "start_indices_batching_dims": (0,),
            },
        ),
        (
            "scatter",
            lambda x: x.at[:, IDS].set(1.0),
            {
                "update_window_dims": (0, 2),
                "inserted_window_dims": (1,),
                "scatter_dims_to_operand_dims": (1,),
                "operand_batching_dims": (),
                "scatter_indices_batching_dims": (),
            },
        ),
        (
            "conv_general_dilated",
            convolved,
            {"lhs_spec": (0, 2, 1), "rhs_spec": (2, 1, 0), "out_spec": (0, 2, 1)},
        ),
    ],
)
def test_jax_numbers_axes_as_the_rules_read_them(
    primitive: str, function: Callable[[Any], Any], fields: dict[str, Any]
) -> None:
    numbers = equation_of(primitive, function).params["dimension_numbers"]
    assert {name: tuple(getattr(numbers, name)) for name in fields} == fields


def test_loops_are_laid_out_as_the_adapters_read_them() -> None:
    def scanned(x: Any) -> Any:
        def body(carried: Any, at: Any) -> Any:
            return carried + at[0, 0] * x[0, 0], (2 * at, at[0])

        return lax.scan(body, jnp.zeros(3), x, reverse=True)

    equation = equation_of("scan", scanned)
    scan = Scan.of(equation)
    assert (scan.length, scan.reverse, scan.constants, scan.carried) == (2, True, 1, 1)
    shapes = [each.aval.shape for each in equation.invars]
    assert scan.parts(shapes) == ([X.shape], [(3,)], [X.shape])
    assert [each.aval.shape for each in scan.body.jaxpr.outvars] == [(3,), (5, 3), (3,)]
    assert [each.aval.shape for each in equation.outvars] == [(3,), (2, 5, 3), (2, 3)]

    def repeated(x: Any) -> Any:
        return lax.while_loop(lambda y: y.sum() < x[0, 0, 0], lambda y: y + x[0, 0], jnp.ones(3))

    equation = equation_of("while", repeated)
    loop = While.of(equation)
    asked, given, carried = loop.parts([each.aval.shape for each in equation.invars])
    assert (len(asked), len(given), carried) == (1, 1, [(3,)])
    assert [each.aval.shape for each in loop.condition.jaxpr.outvars] == [()]
    assert [each.aval.shape for each in loop.body.jaxpr.outvars] == [(3,)]


def test_a_linear_system_is_laid_out_as_the_rule_reads_it() -> None:
    equation = equation_of("custom_linear_solve", lambda x: jnp.linalg.solve(x[:, :3], x[:, 3:].mT))
    counts, programs = equation.params["const_lengths"], equation.params["jaxprs"]
    right = equation.invars[sum(counts) :]
    assert counts.matvec + counts.vecmat + counts.solve <= sum(counts)
    assert len(programs.solve.jaxpr.invars) == counts.solve + len(right)


def test_a_primitive_of_others_making_is_read_as_what_it_says_it_is_made_of() -> None:
    # JAX 0.11 gave it another name.
    base: Any = vars(hijax).get("HiPrim") or vars(hijax)["VJPHiPrimitive"]

    class Turned(base):  # type: ignore[misc]
        """Adds the second array, turned around, to the first."""

        def __init__(self, kind: Any) -> None:
            self.in_avals, self.out_aval = (kind, kind), kind
            self.params: dict[str, Any] = {}
            super().__init__()

        def expand(self, x: Any, y: Any) -> Any:
            return x + jnp.flip(y, 1)

    def function(x: Any) -> Any:
        return Turned(jax.typeof(x))(x[:, ::-1], x)

    assert map_of(function, X.shape) == ["....x", "...x.", "..x..", ".x...", "x...."]


@pytest.mark.parametrize(
    ("function", "primitives"),
    [
        (lambda x: lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x), [["cos"], ["sin"]]),
        (lambda x: lax.scan(lambda c, at: (c, jnp.tan(at)), 0, x)[1], [["tan"]]),
        (lambda x: jax.jit(jnp.tanh)(x), [["tanh"]]),
        (lambda x: x + 1, []),
    ],
)
def test_programs_inside_an_equation_are_found(
    function: Callable[[Any], Any], primitives: list[list[str]]
) -> None:
    *_, last = jax.make_jaxpr(function)(X).jaxpr.eqns
    found = [[each.primitive.name for each in inner.eqns] for inner in programs_in(last)]
    assert found == primitives
