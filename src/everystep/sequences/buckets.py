"""Choose a few lengths that many lengths are padded to, and group sequences by them."""

import numpy as np
import numpy.typing as npt

from everystep.sequences.planning import Integers, check_positive

# Above so many different lengths the choice is made among as many quantiles of them: it takes time
# in the square of the number, and more would not change the padding noticeably.
_MOST_CANDIDATES = 256


def bucket_lengths(lengths: Integers, max_shapes: int = 8) -> npt.NDArray[np.int64]:
    """Choose the lengths to pad to that waste the fewest cells.

    Each sequence is padded to the next length chosen. With N(j) the number of sequences up to the
    j-th different length L(j), the cells that they take with k lengths are
    `C_k(j) = min over i < j of C_{k-1}(i) + (N(j) - N(i)) L(j)`, and `C_1(j) = N(j) L(j)`.

    Shapes:
        lengths (sequences,) -> (up to max_shapes,)

    Args:
        lengths: The number of steps of each sequence.
        max_shapes: How many lengths to choose at most, each one compilation of the model.

    Returns:
        The lengths, ascending; the last is that of the longest sequence, at least 1.

    Raises:
        SettingError: `max_shapes` is less than 1.

    Example:
        >>> bucket_lengths(np.array([2, 2, 3, 9, 10]), max_shapes=2)
        array([ 3, 10])
    """
    check_positive("max_shapes", max_shapes)
    lengths = np.maximum(np.asarray(lengths, dtype=np.int64), 1)
    candidates = np.unique(lengths).astype(np.int64)
    if len(candidates) > _MOST_CANDIDATES:
        shares = np.linspace(0, 1, _MOST_CANDIDATES)
        candidates = np.unique(np.quantile(lengths, shares, method="higher").astype(np.int64))
    if len(candidates) <= max_shapes:
        return candidates if len(candidates) else np.ones(1, dtype=np.int64)
    below = np.searchsorted(np.sort(lengths), candidates, side="right")
    # Row i, column j: the cells of the sequences above candidate i and up to candidate j.
    bucket = (below[None, :] - below[:, None]) * candidates[None, :].astype(float)
    bucket[np.tril_indices(len(candidates))] = np.inf
    cells = below * candidates.astype(float)
    previous = []
    for _ in range(max_shapes - 1):
        choices = cells[:, None] + bucket
        previous.append(np.argmin(choices, axis=0))
        cells = np.min(choices, axis=0)
    chosen = [len(candidates) - 1]
    for best in reversed(previous):
        chosen.append(int(best[chosen[-1]]))
    return candidates[chosen[::-1]]


def bucketed_groups(
    lengths: Integers, order: Integers, rows: int, shapes: Integers
) -> list[tuple[npt.NDArray[np.int64], int]]:
    """Group sequences of like length by `rows`, in the order in which the groups fill up.

    What is left over of a bucket goes into the next longer one, so that only the last group
    can hold fewer than `rows`.

    Shapes:
        lengths (sequences,), order (up to sequences,), shapes (buckets,)

    Returns:
        The sequences of each group, and the length to pad them to. At least one group.

    Example:
        >>> lengths, shapes = np.array([1, 4, 2, 2]), np.array([2, 4])
        >>> bucketed_groups(lengths, np.arange(4), rows=2, shapes=shapes)
        [(array([0, 2]), 2), (array([1, 3]), 4)]
    """
    bucket_of = np.searchsorted(shapes, lengths[order])
    full: list[npt.NDArray[np.intp]] = []
    left = np.empty(0, dtype=np.intp)
    for bucket in range(len(shapes)):
        places = np.sort(np.concatenate([left, np.flatnonzero(bucket_of == bucket)]))
        cut = len(places) - len(places) % rows
        full.extend(places[:cut].reshape(-1, rows))
        left = places[cut:]
    full.sort(key=lambda places: int(places.max()))
    groups = [*full, left] if len(left) or not full else full
    return [
        (order[places].astype(np.int64), int(shapes[bucket_of[places].max(initial=0)]))
        for places in groups
    ]
