"""A model as a program of JAX in one file, with its weights inside: it runs where JAX does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import jax
import jax.export
import jax.numpy as jnp
import numpy as np

from everystep.errors import SegmentsError, SettingError, ShapeError, StateError
from everystep.formats import write_atomically
from everystep.kernels import only
from everystep.kinds import one_of
from everystep.layers import symbolic
from everystep.layers.apply import run
from everystep.sequences import Steps

if TYPE_CHECKING:
    from everystep.models.model import Model

PLATFORMS = ("cpu", "cuda", "tpu")
"""Where an artefact runs, unless others are asked for."""

# JAX leaves its own without types.
_abstract: Any = jax.ShapeDtypeStruct

SEGMENTS = one_of(None, "rows", "packed")


@dataclass(frozen=True)
class Artefact:
    """What was exported.

    Args:
        inputs: the shape of each input, and of segments; a size in words may be any number.
        outputs: the shape of each output, likewise.
        fixed: for each size that is a number, where it stands and why.
    """

    inputs: list[str]
    outputs: list[str]
    fixed: list[str]


def export(
    model: Model,
    filepath: str | PathLike[str],
    segments: str | None = None,
    platforms: Sequence[str] = PLATFORMS,
) -> Artefact:
    """Write a model as a program of JAX; see `Model.export`."""
    _refuse_what_cannot_be_exported(model, segments)
    program = _program(model, segments)
    failed: Exception | None = None
    for names in _namings(model):
        specs = _specs(model, names, segments)
        try:
            # Of the loop's twins, the one that runs wherever JAX does.
            with only("xla"):
                exported = jax.export.export(jax.jit(program), platforms=tuple(platforms))(*specs)
            break
        except SegmentsError:
            raise
        # Whatever JAX has to say of a program that does not work for sizes without a number.
        except Exception as error:
            failed = failed or error
    else:
        raise ShapeError(
            f"model '{model.name}' cannot be exported for any size of the axes that are None in "
            f"its input shape {model.input_shape}: {failed}. Give it fixed ones, such as "
            "Input((steps, features))"
        ) from failed
    contents = exported.serialize()
    write_atomically(filepath, lambda file: file.write(contents))
    inputs, outputs = (
        [symbolic.written(aval.shape) for aval in avals]
        for avals in (exported.in_avals, exported.out_avals)
    )
    return Artefact(inputs, outputs, list(_fixed(model)))


def _refuse_what_cannot_be_exported(model: Model, segments: str | None) -> None:
    SEGMENTS.taken("export: segments", segments)
    if not model.built:
        raise StateError(
            f"model '{model.name}' is not built, so the shape of its input is not known: call it "
            "on data, call build with a shape, or put an Input first"
        )
    for variable in model.variables:
        if variable.temporary:
            raise SettingError(
                f"model '{model.name}' keeps '{variable.path}' from call to call (stateful=True), "
                "which a program without memory cannot: use return_state and initial_state, so "
                "that states are inputs and outputs"
            )


def _program(model: Model, segments: str | None) -> Any:
    """Return the function to export: of the inputs, and of their segments where there are some."""
    variables = model.named_weights()
    # NumPy arrays become part of the program.
    weights = {path: np.asarray(variable.peek()) for path, variable in variables.items()}

    def outputs_of(inputs: Any) -> Any:
        values = {path: jnp.asarray(value) for path, value in weights.items()}
        return run(model, variables, values, inputs).outputs

    def with_segments(inputs: Any, ids: Any) -> tuple[Any, Any]:
        steps = jax.tree.map(lambda x, k: Steps(x, k, packed=segments == "packed"), inputs, ids)
        outputs = outputs_of(steps)
        return _mapped(lambda leaf: leaf.values if _is_steps(leaf) else leaf, outputs), _mapped(
            lambda leaf: leaf.segments if _is_steps(leaf) else None, outputs
        )

    def without(inputs: Any) -> Any:
        # An Embedding may find padding by itself.
        return _mapped(lambda leaf: leaf.values if _is_steps(leaf) else leaf, outputs_of(inputs))

    return without if segments is None else with_segments


def _is_steps(value: Any) -> bool:
    return isinstance(value, Steps)


def _mapped(function: Any, tree: Any) -> Any:
    return jax.tree.map(function, tree, is_leaf=_is_steps)


def _namings(model: Model) -> Iterator[bool]:
    """Say whether the sizes of each input have names of their own: first so, then not."""
    several = len(jax.tree.leaves(model.input_shape, is_leaf=symbolic.is_shape)) > 1
    yield from (True, False) if several else (False,)


def _specs(model: Model, own_names: bool, segments: str | None) -> tuple[Any, ...]:
    """Return shapes and dtypes of the arguments, with one name for the batch of all inputs."""
    scope = jax.export.SymbolicScope()
    shapes, tree = jax.tree.flatten(model.input_shape, is_leaf=symbolic.is_shape)
    dtypes = model.input_dtype
    dtypes = dtypes if isinstance(dtypes, list) else [dtypes] * len(shapes)
    specs = []
    for number, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True)):
        suffix = f"_{number}" if own_names else ""
        names = ["batch", f"steps{suffix}", *(f"size_{axis}{suffix}" for axis in range(2, 32))]
        sizes = [
            name if size is None else str(size) for name, size in zip(names, shape, strict=False)
        ]
        symbols = jax.export.symbolic_shape(", ".join(sizes), scope=scope)
        specs.append(_abstract(symbols, jnp.dtype(dtype)))
    arguments = jax.tree.unflatten(tree, specs)
    if segments is None:
        return (arguments,)
    ids = [_abstract(spec.shape[:2], jnp.dtype("int32")) for spec in specs]
    return arguments, jax.tree.unflatten(tree, ids)


def _fixed(model: Model) -> Iterator[str]:
    """Say of each size that is a number where it stands, and that the model's input has it so."""
    shapes = jax.tree.leaves(model.input_shape, is_leaf=symbolic.is_shape)
    for number, shape in enumerate(shapes):
        for axis, size in enumerate(shape):
            what = {0: "the batch", 1: "the number of steps"}.get(axis, "the features")
            if size is not None:
                yield f"axis {axis} of input {number} ({what}) is {size}, as its Input says"
