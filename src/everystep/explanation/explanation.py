"""The explanation of one thing for one number of steps; what is not asked for is not worked out."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from everystep.errors import ShapeError
from everystep.explanation import maps as reading
from everystep.explanation.calls import CallReads, calls_read
from everystep.explanation.costs import StepCost, cost_of
from everystep.explanation.described import described
from everystep.explanation.gradients import gradient_by_step
from everystep.explanation.lengths import Lengths, lengths_of, reaches
from everystep.explanation.maps import Grid, StepMap, UpperBound, upper_bound
from everystep.explanation.program import Program
from everystep.explanation.rows import Rows, packing_of, padding_of
from everystep.explanation.subjects import Subject
from everystep.explanation.uses import WeightUse, uses_of
from everystep.explanation.witnesses import find_witnesses
from everystep.kinds import ENCODING, FUNCTION, POSITIVE, checked, optional
from everystep.layers.looping import Loop

if TYPE_CHECKING:
    from everystep.drawing.explained import Explained

# For how many steps the page draws what takes any number.
_PAGE_STEPS = range(2, 9)


class Explanation:
    """Which output steps read which input steps, and what follows; `explain` makes it.

    Where there are several inputs or outputs, `depends` and what is said in one word are about the
    first output and the first input; `maps` has all.

    Args:
        subject: what is explained.
        steps: for how many steps; None: as many as each example has.

    Attributes:
        program: the traced program that is read.

    Example:
        >>> import everystep as es
        >>> r = es.explain(es.layers.Conv1D(5, 3, padding="causal"), (None, 6, 2))
        >>> r.causal, r.lookback, r.lookahead, r.any_length, r.parameters
        (True, 2, 0, True, 35)
    """

    def __init__(self, subject: Subject, steps: int | None) -> None:
        self._origin = subject
        self._subject = subject.built_for(steps)
        self._asked = steps
        self.program: Program = self._subject.program(steps)
        self._upper: UpperBound = upper_bound(self.program)

    @checked(steps=POSITIVE)
    def at(self, steps: int) -> Explanation:
        """Return the explanation of the same thing for another number of steps.

        Raises:
            ShapeError: it does not take so many.
        """
        return Explanation(self._origin, self._origin.steps_for(steps))

    @checked(times=POSITIVE)
    def longer(self, times: int) -> Explanation:
        """Return the explanation of the same thing for so many times as many steps of each input.

        Segments that were given are for the steps that there were, and are left out.
        """
        return Explanation(self._origin.resized(partial(operator.mul, times), self.steps), None)

    @property
    def name(self) -> str:
        """What the thing is called."""
        return self.program.name

    @property
    def kind(self) -> str:
        """Its class, or "function"."""
        return self._subject.kind

    @property
    def steps(self) -> int:
        """The number of steps of its first input that has a time axis, or of its first output."""
        ports = [*self.program.inputs, *self.program.outputs]
        return next((port.steps for port in ports if port.axis is not None), 1)

    # Maps.

    @property
    def depends(self) -> Grid:
        """Upper bound, bool (steps_out, steps_in): False where a step cannot be read."""
        return self._upper.maps[0][0]

    @property
    def witnessed(self) -> Grid:
        """Lower bound, bool (steps_out, steps_in): True where a step has been seen to be read."""
        return self._lower[0]

    @property
    def exact(self) -> bool:
        """Whether the two bounds agree everywhere."""
        return bool(np.array_equal(self.depends, self.witnessed))

    @property
    def stepwise(self) -> bool:
        """Whether each output step reads the input step of its own place alone."""
        return reading.is_stepwise(self.depends)

    @property
    def causal(self) -> bool:
        """Whether no output step reads an input step behind its place."""
        return reading.is_causal(self.depends)

    @property
    def lookback(self) -> int | None:
        """How many steps before its place an output step reads at most; None: no bound."""
        return self._reaches[0][0]

    @property
    def lookahead(self) -> int | None:
        """How many steps behind its place an output step reads at most; None: no bound."""
        return self._reaches[0][1]

    @cached_property
    def maps(self) -> list[StepMap]:
        """The map of each input for each output, outputs outermost."""
        pairs = reading.pairs_of(self.program.outputs, self.program.inputs)
        found = zip(pairs, self._upper_maps, self._lower, self._reaches, strict=True)
        return [
            StepMap(output.name, given.name, depends, witnessed, *reach)
            for (output, given), depends, witnessed, reach in found
        ]

    @property
    def unknown(self) -> list[str]:
        """Primitives that were not understood: what they make is taken to read all it was given."""
        return self._upper.unknown

    @property
    def assumptions(self) -> list[str]:
        """What the upper bound rests on besides the program, in words."""
        return self._upper.assumptions

    @property
    def upper_maps(self) -> list[list[Grid]]:
        """The upper bound alone: for each output, the map of each input."""
        return self._upper.maps

    @property
    def _upper_maps(self) -> list[Grid]:
        return [each for row in self._upper.maps for each in row]

    @cached_property
    def _lower(self) -> list[Grid]:
        return find_witnesses(self.program, self._upper_maps)

    @cached_property
    def _reaches(self) -> list[tuple[int | None, int | None]]:
        given = any(example.segments is not None for example in self._subject.inputs.examples)
        if given or not self.any_length:
            return [reading.reach(each) for each in self._upper_maps]
        return reaches(self._subject, self.steps, self._upper_maps)

    # What it takes and costs.

    @cached_property
    def _lengths(self) -> Lengths:
        return lengths_of(self._subject, self.steps)

    @property
    def any_length(self) -> bool:
        """Whether it takes any number of steps."""
        return self._lengths.any_length

    @property
    def any_length_reason(self) -> str:
        """Why it does not, or how far that was tried; "" where it does."""
        return self._lengths.reason

    @property
    def parameters(self) -> int:
        """How many numbers its weights have."""
        return self._subject.parameters

    @cached_property
    def cost(self) -> StepCost:
        """What a step of the first output costs: multiply-adds and bytes."""
        return cost_of(self.program)

    @cached_property
    def kernels(self) -> dict[str, Loop]:
        """Which loop each recurrent layer takes, by its path, and why not the fastest."""
        return self._subject.loops()

    # Which weights make which steps.

    @cached_property
    def uses(self) -> list[WeightUse]:
        """How the steps of all outputs use each weight."""
        return uses_of(self.program, look=True)

    @property
    def shared(self) -> dict[str, npt.NDArray[np.bool_]]:
        """For each weight, by its path, which steps of the first output use it."""
        return {use.path: use.steps[0] for use in self.uses}

    @checked(loss=optional(FUNCTION))
    def gradient_by_step(
        self,
        weight: str,
        *inputs: Any,
        weights: Mapping[str, Any] | None = None,
        loss: Callable[..., Any] | None = None,
    ) -> npt.NDArray[Any]:
        """Return what each output step contributes to the gradient of a weight; the sum is it.

        Shapes: `(steps of all outputs, *shape of the weight)`.

        Args:
            weight: the path of the weight, such as a key of `shared`.
            *inputs: a value for each input, of one row; by default random ones.
            weights: values of weights by path, in place of their present ones.
            loss: what is made of the outputs, a scalar, with one argument for each output; by
                default their sum.

        Raises:
            DataError: there is no such weight, or an argument does not fit.

        Example:
            >>> import everystep as es, numpy as np
            >>> r = es.explain(es.layers.Dense(2, name="dense"), (None, 3, 1))
            >>> x = np.array([[[1.0], [2.0], [3.0]]])
            >>> each = r.gradient_by_step("dense/kernel", x)
            >>> each.tolist(), each.sum(0).tolist()
            ([[[1.0, 1.0]], [[2.0, 2.0]], [[3.0, 3.0]]], [[6.0, 6.0]])
        """
        given = list(inputs) if inputs else None
        return gradient_by_step(self.program, weight, given, weights, loss)

    # What is inside, and what rows do.

    @cached_property
    def layers(self) -> list[CallReads]:
        """What each call of a layer directly inside a model reads; a model inside is one call.

        Of what has no calls to be seen, itself; of a function, nothing.
        """
        recording = self._subject.recording(self._asked)
        return [] if recording is None else calls_read(recording)

    @cached_property
    def padding(self) -> Rows:
        """Whether a padded step changes a real one."""
        return padding_of(self._subject, self.steps)

    @cached_property
    def packing(self) -> Rows:
        """Whether one sequence of a packed row changes another."""
        return packing_of(self._subject, self.steps)

    # Told.

    def data(self) -> Explained:
        """Return all of it as plain data, of which everything is told and drawn."""
        return described(self)

    @checked(width=POSITIVE, encoding=ENCODING)
    def to_text(self, width: int = 100, encoding: str = "utf-8") -> str:
        """Return all of it as a picture for a terminal.

        Args:
            width: how many characters a line may have.
            encoding: what the terminal can show.
        """
        from everystep.drawing import explanation_text

        return explanation_text(self.data(), width=width, encoding=encoding)

    @checked
    def to_svg(self, picture: str = "all") -> str:
        """Return a picture as SVG, which needs no other file.

        Args:
            picture: "network", "map", "unrolled", "layers", "facts", or "all" of them.

        Raises:
            SettingError: there is no such picture.
        """
        from everystep.drawing import explanation_svg

        return explanation_svg(self.data(), picture)

    def to_html(self) -> str:
        """Return a page that can be pointed at, for several numbers of steps where it takes any.

        It is one file, which asks for no other.
        """
        from everystep.drawing import explanation_page

        return explanation_page([each.data() for each in self._for_page()], self.steps)

    def _for_page(self) -> list[Explanation]:
        found = {self.steps: self}
        if self.any_length and len(self._origin.inputs.all_steps) < 2:
            for steps in {*_PAGE_STEPS} - {self.steps}:
                # There may be too few steps, as for a window of three.
                with suppress(ShapeError):
                    found[steps] = self._beside(steps)
        return [found[steps] for steps in sorted(found)]

    def _beside(self, steps: int) -> Explanation:
        """Return the explanation for other steps, which takes over what holds for any number."""
        other = self.at(steps)
        other._lengths, other._reaches = self._lengths, self._reaches
        # A leak is shown by steps, which there may be no more.
        if self.padding.pair is None and self.packing.pair is None:
            other.padding, other.packing = self.padding, self.packing
        # Which weights are seen to be shared takes long to find out, and is the same.
        other.uses = uses_of(other.program)
        return other

    def _repr_html_(self) -> str:
        from everystep.drawing import explanation_fragment

        return explanation_fragment(self.data())

    def __repr__(self) -> str:
        return f"<Explanation of {self.kind} '{self.name}' for {self.steps} steps>"

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(self.data(), indent=1, ensure_ascii=False, allow_nan=False)
