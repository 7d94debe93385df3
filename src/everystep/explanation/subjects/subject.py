"""A subject: something to explain and examples of its inputs, traced for any number of steps."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Self

import jax
import jax.numpy as jnp
import numpy as np

from everystep.errors import DataError, EverystepError, SettingError, ShapeError
from everystep.explanation.program import Port, Program, Weight
from everystep.explanation.subjects.examples import Example, example_of, is_example
from everystep.kernels import only
from everystep.kinds import shown
from everystep.layers.arguments import is_steps

if TYPE_CHECKING:
    from everystep.explanation.subjects.recording import Recording
    from everystep.layers.looping import Loop

USUAL_STEPS = 4
"""How many steps are explained where neither the caller nor the subject says how many."""

_abstract: Any = jax.ShapeDtypeStruct


class Traced(NamedTuple):
    """A traced function.

    Args:
        jaxpr: what JAX made of it.
        outputs: the shape and dtype of each output.
        names: what each output is called.
        values: how many different values each input may hold, None for numbers.
    """

    jaxpr: Any
    outputs: list[Any]
    names: list[str]
    values: list[int | None]


@dataclass(frozen=True)
class Inputs:
    """The inputs of a subject.

    Args:
        examples: what each looks like.
        names: what each is called.
        tree: the tree in which the subject takes them.
    """

    examples: tuple[Example, ...]
    names: tuple[str, ...]
    tree: Any

    @classmethod
    def of(cls, arguments: tuple[Any, ...], parameters: Sequence[str] = ()) -> Inputs:
        """Return the inputs that examples stand for.

        Args:
            arguments: for each argument of the subject an example, or a tree of examples.
            parameters: what the arguments are called.

        Raises:
            DataError: something in a tree says nothing of an input.
        """
        pairs, tree = jax.tree_util.tree_flatten_with_path(arguments, is_leaf=is_example)
        bases = parameters if len(arguments) > 1 else ["inputs"]

        def named(path: tuple[Any, ...]) -> str:
            number = path[0].idx
            base = bases[number] if number < len(bases) else f"inputs[{number}]"
            return f"{base}{jax.tree_util.keystr(path[1:])}"

        names = tuple(named(path) for path, _ in pairs)
        found = zip(names, pairs, strict=True)
        examples = tuple(example_of(leaf, f"the example of {name}") for name, (_, leaf) in found)
        return cls(examples, names, tree)

    @property
    def steps(self) -> int | None:
        """The number of steps that the examples agree on; None where they have none, or several."""
        sizes = self.all_steps
        return sizes.pop() if len(sizes) == 1 else None

    @property
    def all_steps(self) -> set[int]:
        """The numbers of steps of the examples that have one."""
        return {example.steps for example in self.examples if example.steps is not None}

    def sized(self, steps: Any, batch: Any) -> list[Example]:
        """Return the examples for a number of steps.

        Args:
            steps: how many; None: as many as each has.
            batch: how many rows, where an example does not say it.

        Raises:
            ShapeError: the examples differ in their steps, so that one number cannot be for all; or
                an axis other than time has no size.
        """
        if steps is not None and len(self.all_steps) > 1:
            raise ShapeError(
                f"the inputs have {sorted(self.all_steps)} steps, so steps={steps} cannot be meant "
                "for all: leave steps= out, or give examples with None for the number of steps"
            )
        examples = [
            example.sized(example.steps if steps is None else steps, batch)
            for example in self.examples
        ]
        for name, example in zip(self.names, examples, strict=True):
            _refuse_unknown(name, example)
        return examples


def _refuse_unknown(name: str, example: Example) -> None:
    if None in example.shape:
        raise ShapeError(
            f"the size of axis {example.shape.index(None)} of {name} is not known: its shape is "
            f"{example.shape}. Give an example with that size, such as (None, 4, 3)"
        )
    ids = example.segments
    if ids is not None and tuple(ids.shape) != example.shape[: ids.ndim]:
        raise DataError(
            f"{name} has segments for {ids.shape[1]} steps, not for {example.shape[1]}: leave "
            "steps= out, or give the example without segments"
        )


class Subject(ABC):
    """Something to explain.

    Attributes:
        name: what it is called in reports.
        kind: its class, or "function".
        inputs: what its inputs look like.
        takes_segments: whether it can be told which steps are padding.
        padding_given: whether the segments of its inputs say all that is padding, and ids say none.
    """

    name: str
    kind: str
    inputs: Inputs
    takes_segments: ClassVar[bool] = False
    padding_given: bool = False

    def steps_for(self, steps: Any) -> int | None:
        """Return the number of steps to explain; None where the inputs differ in theirs.

        Raises:
            SettingError: the number that was asked for is not a positive integer.
            ShapeError: an example has no steps.
        """
        if steps is not None:
            whole = isinstance(steps, int | np.integer) and not isinstance(steps, bool)
            if not whole or steps < 1:
                raise SettingError(
                    f"steps must be an integer of 1 or more, not {shown(steps)}: without a step "
                    "there is nothing to explain"
                )
            return int(steps)
        if 0 in self.inputs.all_steps:
            raise ShapeError(
                f"an example for {self.kind} '{self.name}' has no steps, so there is nothing to "
                "explain: give one with a step or more, or say how many with steps="
            )
        return (self.inputs.steps or USUAL_STEPS) if len(self.inputs.all_steps) < 2 else None

    def program(self, steps: int | None) -> Program:
        """Return the program for a number of steps.

        Args:
            steps: how many; None: as many as each example has.

        Raises:
            ShapeError: the subject does not take so many steps.
        """
        examples = self.examples_for(steps)
        try:
            traced = self.traced(examples)
        # Whatever the code that is explained has to say of its inputs.
        except Exception as error:
            self.refuse(error, examples, steps)
        if not traced.outputs:
            raise DataError(
                f"{self.kind} '{self.name}' gives no array, so there is nothing to read"
            )
        inputs = tuple(
            Port(name, example.shape, self.dtype_of(example), example.axis, values)
            for name, example, values in zip(
                self.inputs.names, examples, traced.values, strict=True
            )
        )
        axes = self.output_axes(traced.outputs, traced.names, examples)
        found = zip(traced.names, traced.outputs, axes, strict=True)
        outputs = tuple(Port(name, tuple(o.shape), o.dtype, axis) for name, o, axis in found)
        return Program(self.name, traced.jaxpr, self.weights, inputs, outputs)

    def built_for(self, steps: int | None) -> Subject:
        """Return the subject with weights, which it may get only now: for so many steps."""
        return self

    def examples_for(self, steps: int | None) -> list[Example]:
        """Return the examples of the inputs for a number of steps."""
        return self.inputs.sized(steps, self.batch)

    def resized(self, size_of: Callable[[int], Any], usual: int) -> Self:
        """Return the subject with inputs of other numbers of steps, without segments.

        Args:
            size_of: gives the new number of steps for each old one.
            usual: what stands for the number of steps of an input that says none.
        """
        return self.with_examples(
            each.resized(size_of(each.steps or usual)) for each in self.inputs.examples
        )

    def with_examples(self, examples: Iterable[Example]) -> Self:
        """Return the subject with other examples of its inputs."""
        other = copy.copy(self)
        other.inputs = replace(self.inputs, examples=tuple(examples))
        return other

    def specs_of(self, examples: Sequence[Example]) -> list[Any]:
        """Return shape and dtype of each weight, then of each input."""
        weights = [_abstract(w.value.shape, w.value.dtype) for w in self.weights]
        return weights + [_abstract(each.shape, self.dtype_of(each)) for each in examples]

    def refuse(self, error: Exception, examples: list[Example], steps: int | None) -> NoReturn:
        """Raise the error of a subject that does not take its inputs: its own, or of what to give.

        Raises:
            ShapeError: it does not take inputs of these shapes.
        """
        if isinstance(error, EverystepError) and not isinstance(error, ShapeError):
            raise error
        shapes = ", ".join(str(example.shape) for example in examples)
        reason = str(error).strip().split("\n")[0].rstrip(".")
        if not isinstance(error, EverystepError):
            reason = f"{type(error).__name__}: {reason}"
        asked = "" if steps is None else f", for {steps} steps"
        several = "; sequences of one input go together, as everystep.pack puts them"
        raise ShapeError(
            f"{self.kind} '{self.name}' does not take inputs of shape {shapes}{asked}: {reason}. "
            "Give examples that it takes, and a number of steps that it was made for"
            f"{several if len(examples) > 1 else ''}"
        ) from error

    @property
    @abstractmethod
    def batch(self) -> Any:
        """How many rows it is explained with, where an example does not say it."""

    def loops(self) -> dict[str, Loop]:
        """Return which loop each recurrent layer of everystep takes, by its path."""
        return {}

    def recording(self, steps: int | None) -> Recording | None:
        """Return what the layers give that it calls; None where that cannot be seen."""
        return None

    @property
    @abstractmethod
    def weights(self) -> tuple[Weight, ...]:
        """Its weights."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """How many numbers its weights have."""

    @abstractmethod
    def dtype_of(self, example: Example) -> Any:
        """Return the dtype of an input."""

    @abstractmethod
    def function(self, examples: Sequence[Example]) -> Callable[..., Any]:
        """Return the function of weights and inputs that gives the tree of outputs."""

    @abstractmethod
    def traced(self, examples: Sequence[Example]) -> Traced:
        """Trace it for these inputs."""

    @abstractmethod
    def output_axes(
        self, outputs: list[Any], names: list[str], examples: Sequence[Example]
    ) -> list[int | None]:
        """Return which axis of each output is time."""

    def given(self, arrays: Sequence[Any], examples: Sequence[Example]) -> Any:
        """Return arrays in the tree in which it takes them, as `Steps` where they have segments."""
        pairs = zip(examples, arrays, strict=True)
        leaves = [each.wrapped(array) for each, array in pairs]
        return jax.tree.unflatten(self.inputs.tree, leaves)


def shapes_of(function: Callable[..., Any], specs: Sequence[Any]) -> Any | Exception:
    """Return the shapes of what a function gives, or why it does not take arrays like these.

    Args:
        function: a function of arrays.
        specs: their shapes and dtypes.
    """
    try:
        with only("xla"):
            return jax.eval_shape(function, *specs)
    # Whatever the code that is explained, or JAX, has to say of them.
    except Exception as error:
        return error


def traced_program(function: Callable[..., Any], specs: Sequence[Any]) -> tuple[Any, Any]:
    """Trace a function of arrays; the recurrent loops in it are scans, which can be read.

    Args:
        function: a function of arrays.
        specs: their shapes and dtypes.

    Returns:
        What JAX made of it, and shape and dtype of each output.
    """
    with only("xla"):
        jaxpr, outputs = jax.make_jaxpr(function, return_shape=True)(*specs)
    return jaxpr, outputs


def trace(function: Callable[..., Any], specs: Sequence[Any]) -> Traced:
    """Trace a function that gives a tree of arrays and `Steps`."""
    structure: list[Any] = []

    def flat(*arrays: Any) -> list[Any]:
        outputs = function(*arrays)
        pairs, _ = jax.tree_util.tree_flatten_with_path(outputs, is_leaf=is_steps)
        structure[:] = [jax.tree_util.keystr(path) for path, _ in pairs]
        return [leaf.values if is_steps(leaf) else jnp.asarray(leaf) for _, leaf in pairs]

    jaxpr, outputs = traced_program(flat, specs)
    alone = len(structure) == 1
    names = ["outputs" if alone else f"outputs{path}" for path in structure]
    return Traced(jaxpr, outputs, names, [])
