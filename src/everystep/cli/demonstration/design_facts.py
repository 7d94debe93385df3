"""What each of the five designs does, measured: nothing here knows what the answer should be."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from everystep.drawing.report import Design, Designs, WeightUse
from everystep.errors import ShapeError
from everystep.layers.apply import apply, weights_of
from everystep.layers.symbolic import shape_of, trace, written
from everystep.models import designs
from everystep.models.sequential import Sequential

Size = tuple[int, int, int]
Array = np.ndarray[Any, Any]


def measure_designs(steps: int = 4, features: int = 3, units: int = 5) -> Designs:
    """Measure all five designs.

    Args:
        steps: the number of steps of the input.
        features: the features of a step of the input.
        units: the features of a step of the output.

    Returns:
        The facts, in the order of `models.designs.DESIGNS`.

    >>> [design["parameters"] for design in measure_designs()["designs"]]
    [20, 20, 20, 260, 80]
    """
    size = (steps, features, units)
    models = {design.name: design.model(*size) for design in designs.DESIGNS}
    outputs = {name: _run(model, one_step_changed(size)) for name, model in models.items()}
    found = [
        Design(
            name=design.name,
            words=design.words,
            parameters=models[design.name].count_params(),
            output_shape=written(models[design.name].output_shape),
            any_steps=_takes_any_steps(design, size),
            depends=depends_by_change(outputs[design.name]),
            same_as=_first_equal(design.name, models, outputs),
            weights=_weight_use(models[design.name], one_step_changed(size)[:1]),
        )
        for design in designs.DESIGNS
    ]
    return Designs(steps=steps, features=features, units=units, designs=found)


def one_step_changed(size: Size) -> Array:
    """Return inputs that differ in one step each: the first as it is, then step 0 changed, and on.

    Args:
        size: steps, features, and units, which do not matter here.

    Returns:
        Inputs of shape (1 + steps, steps, features).

    >>> one_step_changed((4, 3, 5)).shape
    (5, 4, 3)
    """
    steps, features, _ = size
    values = np.random.default_rng(0).normal(size=(1, steps, features))
    changes = np.concatenate([np.zeros((1, steps)), np.eye(steps)])
    inputs: Array = (values + changes[:, :, None]).astype("float32")
    return inputs


def depends_by_change(outputs: Array) -> list[list[bool]]:
    """Find out which output steps change when one input step changes.

    Args:
        outputs: what a model gives for `one_step_changed`, shape (1 + steps, steps, units).

    Returns:
        For each output step, for each input step, whether the output changed at all.

    >>> depends_by_change(one_step_changed((2, 3, 1)))
    [[True, False], [False, True]]
    """
    changed: Array = (outputs[1:] != outputs[0]).any(axis=-1).T
    return [[bool(does) for does in row] for row in changed]


def _run(model: Sequential, inputs: Array) -> Array:
    """Run a model with weights that depend on their order and shapes alone, no bias left at 0."""
    weights = {
        path: np.random.default_rng(place).normal(size=variable.shape).astype("float32")
        for place, (path, variable) in enumerate(model.named_weights().items())
    }
    # Compiled as a whole: op by op, each of the many small ones would be compiled alone.
    outputs: Array = np.asarray(jax.jit(lambda values: apply(model, values, inputs)[0])(weights))
    return outputs


def _weight_use(model: Sequential, inputs: Array) -> list[WeightUse]:
    """Count for each weight the output steps that use one value of it: those with a gradient."""

    def output_steps(weights: Any) -> Any:
        # Uneven factors, so that no two contributions cancel by chance.
        outputs, _ = apply(model, weights, inputs)
        return jnp.sum(outputs * (1.0 + jnp.arange(outputs.shape[-1]) / 7), axis=(0, 2))

    slopes = jax.jit(jax.jacobian(output_steps))(weights_of(model))
    return [
        WeightUse(path=path, shape=list(slope.shape[1:]), used_by=_most_uses(slope))
        for path, slope in slopes.items()
    ]


def _most_uses(slope: Any) -> int:
    return int((np.asarray(slope) != 0).sum(axis=0).max())


def _takes_any_steps(design: designs.Design, size: Size) -> bool:
    """Run the design on a number of steps that is not known, and see whether shapes work out."""
    steps, features, units = size
    try:
        model = design.model(None, features, units, planned=steps)
        shape = shape_of(trace(model, (None, None, features)).outputs)
    except ShapeError:
        return False
    return bool(shape == (None, None, units))


def _first_equal(name: str, models: dict[str, Sequential], outputs: dict[str, Array]) -> str:
    """Name the first design that gives the same outputs from the same weights."""
    shapes = {each: [weight.shape for weight in model.weights] for each, model in models.items()}
    return next(
        other
        for other in models
        if shapes[other] == shapes[name]
        and np.allclose(outputs[other], outputs[name], rtol=1e-5, atol=1e-6)
    )
