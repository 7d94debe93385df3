"""EinsumDense: a dense layer along the axes that an equation names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from everystep import kinds
from everystep.activations import ACTIVATION
from everystep.constraints import CONSTRAINT
from everystep.core.settings import setting
from everystep.errors import SegmentsError, SettingError, ShapeError
from everystep.initializers import INITIALIZER
from everystep.initializers.scaling import along_axes
from everystep.kernels import contract
from everystep.kinds import Kind, shown
from everystep.layers.core import PlainWeights
from everystep.layers.spec import InputSpec
from everystep.regularizers import REGULARIZER

_SIDES = re.compile(
    r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?", re.ASCII
)


@dataclass(frozen=True)
class Equation:
    """An equation read: the letters of each side, and where an ellipsis stands for more axes.

    >>> Equation.parse("...ab,bc->...ac").axes_of("ab", 4)
    (0, 1, 'a', 'b')
    """

    inputs: str
    kernel: str
    outputs: str
    ellipsis: str

    @classmethod
    def parse(cls, text: str) -> Equation:
        """Read an equation; a SettingError says what is wrong with it."""
        read = _SIDES.fullmatch(text)
        left, inputs, right, kernel, left_after, outputs, right_after = (
            (part or "" for part in read.groups()) if read else [""] * 7
        )
        if not inputs or (left, right) != (left_after, right_after) or (left and right):
            raise SettingError(
                f"{text!r} is no equation such as 'abc,cd->abd', '...x,xy->...y' or "
                "'ab...,bc->ac...': input, kernel and output, with at most one ellipsis, on the "
                "same side of input and output"
            )
        for letter in {*kernel, *outputs}:
            if letter not in outputs + inputs or letter not in kernel + inputs:
                raise SettingError(f"{text!r} has {letter!r} in one place, where it has no size")
        return cls(inputs, kernel, outputs, "left" if left else "right" if right else "")

    def axes_of(self, letters: str, rank: int) -> tuple[str | int, ...]:
        """Return a name for each axis of a side: its letter, or a number within the ellipsis."""
        elided = range(rank - len(self.inputs))
        return (*elided, *letters) if self.ellipsis == "left" else (*letters, *elided)

    def keeps_steps(self, rank: int) -> bool:
        """Whether output step t reads input step t alone, for inputs of this rank."""
        before, after = self.axes_of(self.inputs, rank), self.axes_of(self.outputs, rank)
        return before[:2] == after[:2] and len(after) > 1 and before[1] not in set(self.kernel)


def _checked(value: Any) -> str:
    text: str = kinds.TEXT.parse(value)
    Equation.parse(text)
    return text


EQUATION = Kind(
    "an equation, such as 'abc,cd->abd'", _checked, refused=(3, "ab,bc", "a b,bc->ac", "ab,cd->ac")
)
OUTPUT_SHAPE = Kind(
    "a size or a tuple of sizes, None where a size is that of the input",
    lambda value: kinds.SHAPE.parse((value,) if isinstance(value, int) else value),
    list,
    refused=("3", 2.5, ("a",)),
)


class EinsumDense(PlainWeights):
    """A dense layer along any axes: Einstein's sum of the input and a kernel.

    Equation: `y = activation(einsum(equation, x, W) + b)`.

    Shapes: as the equation says. `"abc,cd->abd"` with output_shape `(None, units)` is `Dense` at
    every step: `(batch, steps, features)` -> `(batch, steps, units)`. `W` has the sizes of the
    letters between comma and arrow, `b` those of `bias_axes` and what stands behind them.

    The layer takes masks and packed rows where axis 1 of input and output is one letter that the
    kernel does not have: then each step is read alone.

    Args:
        equation: input, kernel and output, a letter for each axis; an ellipsis for any further
            axes of input and output, on the left or on the right.
        output_shape: the sizes of the output's letters without the batch axis, None where the
            input has the same letter.
        activation: a function, or its name; none by default.
        bias_axes: the letters of the output along which a bias is added; none by default.
        kernel_initializer: how `W` is first drawn.
        bias_initializer: how `b` is first drawn.
        kernel_regularizer: a function of `W` that is added to the loss.
        bias_regularizer: a function of `b` that is added to the loss.
        kernel_constraint: a function applied to `W` after each update.
        bias_constraint: a function applied to `b` after each update.

    Raises:
        SettingError: the equation or `bias_axes` cannot be read.
        ShapeError: `output_shape` or the input does not fit the equation.
        SegmentsError: the input carries a mask, and the equation mixes steps.

    Example:
        >>> import everystep as es, numpy as np
        >>> layer = es.layers.EinsumDense("abc,cde->abde", (None, 2, 5), bias_axes="de")
        >>> layer(np.zeros((2, 50, 10), "float32")).shape, layer.count_params()
        ((2, 50, 2, 5), 110)
    """

    equation: str = setting(EQUATION)
    output_shape: Any = setting(OUTPUT_SHAPE, attribute="partial_output_shape")
    activation: Any = setting(ACTIVATION, default=None)
    bias_axes: str | None = setting(kinds.optional(kinds.TEXT), default=None)
    kernel_initializer: Any = setting(INITIALIZER, default="glorot_uniform")
    bias_initializer: Any = setting(INITIALIZER, default="zeros")
    kernel_regularizer: Any = setting(REGULARIZER, default=None)
    bias_regularizer: Any = setting(REGULARIZER, default=None)
    kernel_constraint: Any = setting(CONSTRAINT, default=None)
    bias_constraint: Any = setting(CONSTRAINT, default=None)

    partial_output_shape: tuple[int | None, ...]

    def after_settings(self) -> None:
        """Read the equation."""
        self._read = Equation.parse(self.equation)
        # Until the rank is known: that of sequences, where the equation leaves it open.
        letters = len(self._read.inputs)
        self.stepwise = self._read.keeps_steps(
            max(3, letters + 1) if self._read.ellipsis else letters
        )
        if not set(self.bias_axes or "") <= set(self._read.outputs):
            raise SettingError(
                f"EinsumDense: bias_axes must be letters of the output '{self._read.outputs}', not "
                f"{shown(self.bias_axes)}"
            )

    def build(self, input_shape: Any) -> None:
        """Create `kernel`, and `bias` where there are `bias_axes`."""
        read, rank = self._read, len(input_shape)
        sizes = self._sizes(input_shape)
        inner = [place for place, letter in enumerate(read.kernel) if letter not in read.outputs]
        outer = [place for place, letter in enumerate(read.kernel) if letter in read.outputs]
        self.kernel = self.add_weight(
            [sizes[letter] for letter in read.kernel],
            along_axes(self.kernel_initializer, inner, outer),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.bias_axes:
            names = read.axes_of(read.outputs, rank)
            names = names[min(names.index(letter) for letter in self.bias_axes) :]
            self.bias = self.add_weight(
                [sizes[name] if name in set(self.bias_axes) else 1 for name in names],
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.stepwise = read.keeps_steps(rank)
        names = read.axes_of(read.inputs, rank)
        self.input_spec = InputSpec(
            ndim=rank,
            axes={axis: sizes[name] for axis, name in enumerate(names) if name in set(read.kernel)},
            axis_names=f"the axes of '{self.equation}'",
        )

    def _sizes(self, input_shape: Any) -> dict[str | int, int | None]:
        """Return the size of each axis by its name in the equation."""
        read, rank = self._read, len(input_shape)
        if rank < len(read.inputs) or (read.ellipsis == "" and rank > len(read.inputs)):
            raise ShapeError(
                f"layer '{self.path}' (EinsumDense): the input of shape {input_shape} has not the "
                f"axes '{read.inputs}' of '{self.equation}'"
            )
        sizes = dict(zip(read.axes_of(read.inputs, rank), input_shape, strict=True))
        own = [name for name in read.axes_of(read.outputs, rank)[1:] if isinstance(name, str)]
        given = self.partial_output_shape
        known = {name: size for name, size in zip(own, given, strict=False) if size is not None}
        differ = [name for name in known if sizes.get(name) not in (None, known[name])]
        if len(own) != len(given) or differ:
            raise ShapeError(
                f"layer '{self.path}' (EinsumDense): output_shape {given} does not fit an input of "
                f"shape {input_shape} in '{self.equation}': it needs a size, or None where the "
                f"input has it, for each of '{''.join(own)}'"
            )
        return sizes | known

    def call(self, inputs: Any, segments: Any = None) -> Any:
        """Return `activation(einsum(equation, inputs, kernel) + bias)`."""
        if segments is not None and not self.stepwise:
            raise SegmentsError(
                f"layer '{self.path}' (EinsumDense) mixes steps by '{self.equation}' and would "
                "lose the mask that its input carries. Put it where there is no mask, or take the "
                "mask off with `steps.values`"
            )
        read, rank = self._read, inputs.ndim
        kernel, named = jnp.asarray(self.kernel), read.axes_of(read.inputs, rank)
        outputs = contract(inputs, named, kernel, read.kernel, read.axes_of(read.outputs, rank))
        if self.bias is not None:
            outputs = outputs + self.bias
        return self.activation(outputs)
