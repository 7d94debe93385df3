"""What people hand over for a model of several inputs or outputs, taken apart into one for each.

For a model of one input a list holds one array a sequence. For a model of several, a list or tuple
holds one entry an input, in order, and a dict one by name; each entry is again an array or a list
with one array a sequence. The same goes for targets and weights, by the outputs. Of a subclassed
model that has not said how many inputs it has, a list holds sequences and a tuple or dict inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from everystep.errors import DataError, StateError
from everystep.layers import symbolic
from everystep.sequences import Ragged, Steps


class Parts(NamedTuple):
    """The inputs one by one, and the list, tuple or dict that they go into again.

    Args:
        items: an array, `Steps` or a list of arrays for each input.
        tree: the structure that JAX has for what they go into.
        names: what to call each in a message.
    """

    items: list[Any]
    tree: Any
    names: list[str]

    @classmethod
    def of(cls, given: Any, names: Sequence[str] | None) -> Parts:
        """Take a container apart, or take what is none as the one input."""
        if isinstance(given, dict):
            chosen = sorted(given if names is None else names)
            missing = [name for name in chosen if name not in given]
            if missing:
                raise DataError(f"x holds {sorted(given)}, but the model's inputs also {missing}")
            found = [given[name] for name in chosen]
            return cls(found, jax.tree.structure(dict.fromkeys(chosen, 0)), chosen)
        tree = jax.tree.structure(type(given)([0] * len(given)))
        return cls(list(given), tree, [f"x[{number}]" for number in range(len(given))])

    @classmethod
    def alone(cls, given: Any) -> Parts:
        """Take what is given as the one input."""
        return cls([given], jax.tree.structure(0), ["x"])

    def joined(self, items: Sequence[Any]) -> Any:
        """Return something for each input in the container of the inputs."""
        return jax.tree.unflatten(self.tree, items)


def inputs_of(model: Any, x: Any, y: Any = None) -> Parts:
    """Take the inputs apart.

    Args:
        model: the model that will read them.
        x: what was handed over.
        y: the targets, whose number tells sequences from inputs where a model does not.

    Raises:
        DataError: there are fewer or more entries than inputs, or it is not clear what they are.
    """
    if isinstance(x, dict):
        return Parts.of(x, input_names(model))
    if not isinstance(x, list | tuple):
        return Parts.alone(x)
    names = ["x"] if model.one_input else input_names(model)
    if names is None:
        several = isinstance(x, tuple) or _holds_inputs(x, y)
        return Parts.of(x, None) if several else Parts.alone(x)
    if len(names) == 1:
        whole = len(x) == 1 and _holds_inputs(x, y)
        return Parts.alone(x[0] if whole else x)
    if len(x) != len(names):
        raise DataError(
            f"model '{model.name}' expects {len(names)} input(s) {names}, but x is a list of "
            f"{len(x)}: give one array, or one list of sequences, for each input"
        )
    return Parts.of(x, names)


def _holds_inputs(x: Any, y: Any) -> bool:
    """Whether a list holds inputs, because as a list of sequences it would not go with `y`."""
    if isinstance(y, dict) and y:
        y = next(iter(y.values()))
    if not isinstance(y, np.ndarray | jax.Array) or not y.ndim:
        return False
    sizes = {len(item) if isinstance(item, list) or np.ndim(item) else 0 for item in x}
    return sizes == {len(y)} and len(y) != len(x)


def input_names(model: Any) -> list[str] | None:
    """Return the names of a model's inputs, or None where it has not said."""
    try:
        tree = model.input
    except StateError:
        return None
    return sorted(tree) if isinstance(tree, dict) else list(model.input_names)


def output_names(model: Any, inputs: Any) -> list[str | None]:
    """Return the names of a model's outputs; None for each that has none.

    Args:
        model: the model.
        inputs: the shapes and dtypes that it will read, to find out where it has not said; None
            if there is one output then.
    """
    try:
        tree, names = model.output, list(model.output_names)
    except StateError:
        if inputs is None:
            return [None]
        tree = symbolic.trace_specs(model, inputs).outputs
        names = [None] * len(flat_outputs(tree))
    return sorted(tree) if isinstance(tree, dict) else names


def flat_outputs(outputs: Any) -> list[Any]:
    """Return a model's outputs one by one, `Steps` in one piece."""
    return jax.tree.leaves(outputs, is_leaf=is_steps)


def is_steps(value: Any) -> bool:
    """Whether a value is `Steps`, which JAX would otherwise take apart."""
    return isinstance(value, Steps)


def for_outputs(given: Any, names: Sequence[str | None], what: str, shared: bool) -> list[Any]:
    """Take targets or weights apart into one for each output, None where there is none.

    Args:
        given: what was handed over.
        names: the names of the outputs.
        what: `y` or `sample_weight`, for error messages.
        shared: whether one array alone is for every output.

    Raises:
        DataError: entries do not go with the outputs.
    """
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown and len(names) == len(given) == 1:
            return list(given.values())
        if unknown:
            raise DataError(f"{what} holds {unknown}, but the model's outputs are {list(names)}")
        return [given.get(name) for name in names]
    if len(names) == 1 or given is None:
        return [given] * len(names)
    if isinstance(given, list | tuple) and len(given) == len(names):
        return list(given)
    if shared and not isinstance(given, list | tuple):
        return [given] * len(names)
    raise DataError(
        f"{what} must have one entry for each of the model's {len(names)} outputs {list(names)}: a "
        f"list in that order or a dict of these names, not {_described(given)}"
    )


def _described(given: Any) -> str:
    if isinstance(given, list | tuple):
        return f"a {type(given).__name__} of {len(given)}"
    return f"an array of shape {tuple(np.shape(given))}"


def stacked(ragged: Ragged, part: Any) -> Any:
    """Return sequences of one length as one array."""
    if not isinstance(part, Ragged):
        return part
    return part.values.reshape(len(part), -1, *part.values.shape[1:])
