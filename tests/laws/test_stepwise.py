"""Which output steps read which input steps: what is declared is what changing a step shows."""

from typing import Any

import numpy as np

from tests.catalogue import STEPS, Entry
from tests.laws.selection import about
from tests.trees import outputs_of

PICTURES = {
    "own": np.eye(STEPS, dtype=bool),
    "beside": np.abs(np.subtract.outer(range(STEPS), range(STEPS))) <= 1,
    "before": np.tril(np.ones((STEPS, STEPS), bool)),
    "after": np.tril(np.ones((STEPS, STEPS), bool))[:, ::-1],
    "all": np.ones((STEPS, STEPS), bool),
}


def changes(one: Any, other: Any) -> Any:
    """Whether two outputs differ, for each step."""
    differs = np.asarray(one) != np.asarray(other)
    return differs.any(axis=(0, *range(2, differs.ndim)))


@about(lambda entry: entry.reads is not None)
def test_an_output_step_reads_the_input_steps_that_it_should(entry: Entry) -> None:
    layer, inputs = entry.built(), entry.inputs()
    for number, before in enumerate(outputs_of(layer(inputs))):
        for step in range(STEPS):
            changed = inputs.copy()
            changed[:, step] = inputs[:, step] % 9 + 1 if entry.ids else inputs[:, step] * 1.5
            after = outputs_of(layer(changed))[number]
            expected = PICTURES[str(entry.reads)][:, step]
            np.testing.assert_array_equal(changes(before, after), expected)


def test_what_is_declared_stepwise_reads_its_own_step_alone(entry: Entry) -> None:
    layer = entry.make()
    if entry.reads is None:
        assert not layer.stepwise or len(entry.shape) < 3
    else:
        assert layer.stepwise == (entry.reads == "own")
