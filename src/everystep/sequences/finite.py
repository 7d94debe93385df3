"""NaN and infinite numbers among real steps, and where they stand."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from everystep.errors import DataError
from everystep.sequences.ragged import Ragged
from everystep.sequences.steps import Steps


def check_finite(data: Any, name: str) -> None:
    """Refuse NaN and infinite numbers, wherever they are not padding.

    Shapes:
        data (batch, steps, ...), or any other whose first axis is that of samples

    Args:
        data: An array, `Steps`, or sequences as a `Ragged`; of integers nothing is looked at.
        name: What messages call it.

    Raises:
        DataError: It holds such a number; the message says in which sample, step and feature.

    Example:
        >>> check_finite(Ragged.of([[[1.0, 2.0]], [[3.0, 4.0], [5.0, np.nan]]]), "x")
        Traceback (most recent call last):
        everystep.errors.DataError: x holds nan in sample 1, step 1, feature 1: finite numbers ...
    """
    values = np.asarray(data.values if isinstance(data, Ragged | Steps) else data)
    if not jnp.issubdtype(values.dtype, jnp.floating):
        return
    finite = np.isfinite(values)
    if isinstance(data, Steps):
        real = np.asarray(data.segments) != 0
        finite = finite | ~real.reshape(*real.shape, *[1] * (finite.ndim - real.ndim))
    if finite.all():
        return
    place = [int(index) for index in np.unravel_index(finite.argmin(), finite.shape)]
    found, timed = values[tuple(place)], len(place) > 2 or isinstance(data, Steps)
    if isinstance(data, Ragged):
        sequence = int(np.searchsorted(data.offsets, place[0], side="right")) - 1
        place[:1] = [sequence, place[0] - int(data.offsets[sequence])]
        timed = True
    raise DataError(
        f"{name} holds {found} in {_written(place, timed)}: finite numbers are asked for here. "
        "Mend the data, or leave out by a mask, or by weight 0, what is missing"
    )


def _written(place: list[int], timed: bool) -> str:
    names = ["sample", *["step"] * timed]
    words = [f"{name} {index}" for name, index in zip(names, place, strict=False)]
    rest = place[len(words) :]
    if rest:
        words.append(f"feature {rest[0] if len(rest) == 1 else tuple(rest)}")
    return ", ".join(words)
