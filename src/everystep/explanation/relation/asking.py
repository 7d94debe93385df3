"""`relation`: the way from two things and examples of their inputs to how they are related."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from everystep.explanation.program import Program
from everystep.explanation.relation.family import Family
from everystep.explanation.relation.relating import Relation, related
from everystep.explanation.subjects import Subject, subject_of
from everystep.explanation.subjects.examples import AXES
from everystep.kinds import checked


@checked(input_axis=AXES, output_axis=AXES)
def relation(
    a: Any,
    b: Any,
    *examples: Any,
    steps: int | None = None,
    input_axis: Any = 1,
    output_axis: Any = 1,
) -> Relation:
    """Say how two models are related as families of functions, over all settings of their weights.

    `verdict` is `"same"` where for every setting of a's weights there is one of b's that gives the
    same function, and the reverse; `"narrower"` where only a's functions are among b's; `"wider"`
    where only b's are among a's; `"different"` where neither holds; `"unknown"` where one of the
    two could not be shown. A function without weights is a family of one.

    That a's functions are among b's is shown by a mapping of the weights, which `evidence` is: it
    is found from shapes and by least squares, and checked in double precision on weights and inputs
    that it was not made from. Where a program branches, its smooth twin is compared too, since a
    rare region might hide a difference from any number of samples. That they are not is shown by a
    counter-example: weights of a for which least squares leave a residual, outputs that leave the
    range of b's, a step that b cannot read, more dimensions than b has, or directions that b lacks.

    Args:
        a: a layer, a model, a model of Keras on JAX, or a function; as in `explain`.
        b: another, on the same inputs.
        *examples: what the inputs look like, as in `explain`.
        steps: the number of steps; by default that of the examples, or of the models, or 4.
        input_axis: which axis of the inputs is time, as in `explain`.
        output_axis: the same of the outputs.

    Returns:
        The relation: `verdict`, `evidence`, and `reason` in words.

    Raises:
        SettingError: a or b is nothing that can be explained, or `steps` is no positive integer.
        DataError: there are too few examples, or one says nothing of an input.
        ShapeError: a or b does not take such inputs, or they do not take the same ones.

    Example:
        >>> import everystep as es
        >>> shared = es.layers.Dense(5, name="shared")
        >>> shared.build((None, 4, 3))
        >>> own = es.layers.PerStep(es.layers.Dense(5, name="many"), name="own")
        >>> r = es.relation(shared, own, (None, 4, 3))
        >>> r.verdict
        'narrower'
        >>> {path: value.shape for path, value in r.evidence(es.weights_of(shared)).items()}
        {'own/many/kernel': (4, 3, 5), 'own/many/bias': (4, 5)}
        >>> print(r.evidence.forward.lines[0])
        kernel is 4 copies of shared's kernel, one behind the other
    """
    subjects = [subject_of(thing, examples, input_axis, output_axis) for thing in (a, b)]
    programs = [_program(subject, steps) for subject in subjects]
    if programs[0].name == programs[1].name:
        programs = [replace(p, name=name) for p, name in zip(programs, "ab", strict=True)]
    return related(*map(Family, programs))


def _program(subject: Subject, steps: int | None) -> Program:
    asked = subject.steps_for(steps)
    return subject.built_for(asked).program(asked)
