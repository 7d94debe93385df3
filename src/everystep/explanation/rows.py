"""Rows with padding, and rows of several sequences: does what must not be read change anything?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import jax
import numpy as np
import numpy.typing as npt

from everystep.errors import EverystepError, SegmentsError
from everystep.explanation.maps import Grid, Source, places, read, upper_bound
from everystep.explanation.program import Program
from everystep.explanation.subjects import Subject
from everystep.explanation.subjects.subject import traced_program
from everystep.explanation.witnesses import witness_of
from everystep.layers.arguments import is_steps

Verdict = Literal["inert", "leaks", "refused", "unknown"]
Ids = npt.NDArray[np.int32]

# So many leaks are tried one after another until one is seen.
_TRIES = 3


@dataclass(frozen=True)
class Rows:
    """What rows do that hold padding, or several sequences.

    Args:
        verdict: "inert": nothing is read that must not be; "leaks": something is; "refused": the
            layer raises an error for such rows; "unknown": it could not be shown either way.
        pair: an output and an input step that show a leak, or None.
        reason: in words.
    """

    verdict: Verdict
    pair: tuple[int, int] | None
    reason: str


def padding_of(subject: Subject, steps: int) -> Rows:
    """Find out whether a padded step changes a real one: with padding at the end, and in a gap."""
    return _first_trouble(
        subject,
        steps,
        {"padding at the end": _padded, "a gap": _gapped},
        packed=False,
        forbidden=lambda out, inn: (out[:, None] != 0) & (inn[None] == 0),
    )


def packing_of(subject: Subject, steps: int) -> Rows:
    """Find out whether one sequence of a row changes another one of it."""
    return _first_trouble(
        subject,
        steps,
        {"two sequences": _two},
        packed=True,
        forbidden=lambda out, inn: (out[:, None] != inn[None]) & (out[:, None] != 0),
    )


def _padded(steps: int) -> Ids:
    return np.array([1] * (steps - steps // 3 - 1) + [0] * (steps // 3 + 1), np.int32)


def _gapped(steps: int) -> Ids:
    return np.array([1, *[0] * (steps // 3), *[1] * (steps - 1 - steps // 3)], np.int32)


def _two(steps: int) -> Ids:
    return np.array([1] * (steps // 2) + [2] * (steps - steps // 2), np.int32)


def _first_trouble(
    subject: Subject,
    steps: int,
    kinds: dict[str, Callable[[int], Ids]],
    packed: bool,
    forbidden: Callable[[Ids, Ids], Grid],
) -> Rows:
    """Try each kind of rows, and return the first answer that is not "inert"."""
    if not subject.takes_segments:
        return Rows(
            "unknown", None, f"a {subject.kind} takes no mask here: every step is real to it"
        )
    sizes = [e.steps or steps for e in subject.inputs.examples if e.axis is not None]
    if not sizes or min(sizes) < 2:
        reason = "rows of one step hold nothing beside it" if sizes else "no input has steps"
        return Rows("unknown", None, reason)
    for name, ids_of in kinds.items():
        try:
            answer = _leak(_with_segments(subject, steps, ids_of, packed), forbidden, name)
        except SegmentsError as error:
            return Rows("refused", None, str(error))
        except EverystepError as error:
            return Rows("unknown", None, str(error))
        if answer is not None:
            return answer
    return Rows("inert", None, f"by the program itself, with {' and with '.join(kinds)}")


def _with_segments(
    subject: Subject, steps: int, ids_of: Callable[[int], Ids], packed: bool
) -> Subject:
    rows = subject.with_examples(
        each
        if each.axis is None
        else replace(
            each.sized(each.steps or steps, None),
            segments=np.tile(ids_of(each.steps or steps), (subject.batch, 1)),
            packed=packed,
            carries=True,
        )
        for each in subject.inputs.examples
    )
    # Steps of which an id says that they are padding would be no real ones.
    rows.padding_given = True
    return rows


def _leak(subject: Subject, forbidden: Callable[[Ids, Ids], Grid], name: str) -> Rows | None:
    """Return how something that must not be read is read all the same, or None."""
    program = subject.program(None)
    maps = [each for row in upper_bound(program).maps for each in row]
    outputs = _segments_of_outputs(subject, program)
    inputs = [each.segments for each in subject.inputs.examples]
    numbers = product(range(len(outputs)), range(len(inputs)))
    found = [
        (output, int(step_out), of_input, int(step_in))
        for (output, of_input), depends in zip(numbers, maps, strict=True)
        # What has no steps belongs to all of them.
        if inputs[of_input] is not None
        for step_out, step_in in np.argwhere(
            depends & forbidden(outputs[output], inputs[of_input][0])
        )
    ]
    for leak in found[:_TRIES]:
        if witness_of(program, *leak) is not None:
            return Rows("leaks", (leak[1], leak[3]), f"with {name}, seen in a change of the output")
    if found:
        reason = f"with {name}, the program may read it, but no change of the output was seen"
        return Rows("unknown", (found[0][1], found[0][3]), reason)
    return None


def _segments_of_outputs(subject: Subject, program: Program) -> list[Ids]:
    """Return the sequence of each step of each output, 0 for padding.

    What an output says of itself counts, where it is constant; else its steps are those of the
    first input at their places, and an output without steps is real.
    """
    examples = subject.examples_for(None)
    ids = next(each.segments[0] for each in examples if each.segments is not None)
    said = _said(subject, program)
    found = []
    for port, own in zip(program.outputs, said, strict=True):
        at_place = ids[places(port.steps, len(ids))] if port.axis is not None else ids.max()
        known = own if own is not None and own.shape == (port.steps,) else -np.ones(1, np.int32)
        found.append(np.where(known >= 0, known, np.broadcast_to(at_place, (port.steps,))))
    return found


def _said(subject: Subject, program: Program) -> list[Any]:
    """Return what each output says of its segments: -1 where that depends on data, None if nothing.

    The first row stands for all.
    """
    there: list[bool] = []
    examples = subject.examples_for(None)

    def segments(*arrays: Any) -> list[Any]:
        leaves = jax.tree.leaves(subject.function(examples)(*arrays), is_leaf=is_steps)
        there[:] = [is_steps(leaf) for leaf in leaves]
        return [leaf.segments for leaf in leaves if is_steps(leaf)]

    jaxpr, _ = traced_program(segments, subject.specs_of(examples))
    reading = read(jaxpr, [Source()] * len(jaxpr.in_avals))
    told = iter(
        np.where(
            np.broadcast_to(facts.known, facts.shape)[0],
            np.broadcast_to(facts.values, facts.shape)[0],
            -1,
        )
        for facts in reading.outputs
    )
    return [next(told) if said else None for said in there]
