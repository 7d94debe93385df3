"""Layers of several inputs."""

from tests.differential.space import BATCH, FEATURES, SEQUENCES, STEPS, TIME_MASKS, YES_NO, Space

LAST = (BATCH, STEPS, 2)
TWO, THREE = [SEQUENCES] * 2, [SEQUENCES] * 3

SPACES = [
    *(Space(name, shapes=[TWO, THREE], masks=TIME_MASKS) for name in ("Add", "Average")),
    # Their values depend on masks, which Keras does not see where derivatives are taken.
    *(
        space
        for name in ("Multiply", "Maximum", "Minimum")
        for space in (
            Space(name, shapes=[TWO, THREE], masks=TIME_MASKS, gradients=0),
            Space(name, shapes=[TWO, THREE]),
        )
    ),
    Space("Add", shapes=[[SEQUENCES, (BATCH, 1, FEATURES)], [SEQUENCES, (BATCH, FEATURES)]]),
    Space("Subtract", shapes=[TWO], masks=TIME_MASKS),
    Space("Concatenate", {"axis": [-1, 2]}, shapes=[TWO, [SEQUENCES, LAST]], masks=TIME_MASKS),
    Space("Concatenate", {"axis": [1, -2]}, shapes=[TWO, THREE], masks=TIME_MASKS),
    Space("Dot", {"axes": [1, 2, (1, 1), (2, 2)], "normalize": YES_NO}, shapes=[TWO]),
    Space("Dot", {"axes": [(2, 1)]}, shapes=[[SEQUENCES, (BATCH, FEATURES, 2)]]),
]
