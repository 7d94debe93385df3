"""Labels that mark spans of steps, such as names in a text, and which of them may follow which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from everystep.errors import SettingError
from everystep.kinds import WORDS, checked, shown


class Mark(NamedTuple):
    """What a prefix says of a step: whether a span goes on into it, and whether out of it."""

    continues: bool
    goes_on: Literal["never", "may", "must"]


OUTSIDE = Mark(False, "never")
SCHEMES = {
    "BIO": {"B": Mark(False, "may"), "I": Mark(True, "may")},
    "BIOES": {
        "B": Mark(False, "must"),
        "I": Mark(True, "must"),
        "E": Mark(True, "never"),
        "S": OUTSIDE,
    },
}


@checked(labels=WORDS)
def forbidden_transitions(labels: Sequence[str], scheme: str = "BIO") -> npt.NDArray[np.bool_]:
    """Tell which labels must not follow which, for labels such as `"B-person"` and `"O"`.

    In `"BIO"` an `I-x` follows a `B-x` or an `I-x`. In `"BIOES"` a `B-x` or an `I-x` is followed by
    an `I-x` or an `E-x`, which follow nothing else; `S-x` is a span of one step.

    Shapes: `(labels + 1, labels + 1)`: a row for the label before, the last for the start of a
    sequence, and a column for the label after, the last for its end. `CRF` takes it as `forbidden`.

    Args:
        labels: the names of the labels, in the order of their numbers.
        scheme: `"BIO"` or `"BIOES"`.

    Raises:
        SettingError: there is no such scheme, or a label is not one of it.

    Example:
        >>> forbidden_transitions(["O", "B-x", "I-x"]).astype(int).tolist()
        [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]

    Source: Ramshaw and Marcus 1995, arXiv:cmp-lg/9505040, for the marks; Lample and others 2016,
    arXiv:1603.01360, section 2.4, for the wider scheme.
    """
    if scheme not in SCHEMES:
        raise SettingError(f"scheme must be one of {', '.join(SCHEMES)}, not {shown(scheme)}")
    ends = (OUTSIDE, "")
    marks = [*(_mark(label, scheme) for label in labels), ends]
    return np.array([[not _may_follow(*one, *other) for other in marks] for one in marks])


def _mark(label: Any, scheme: str) -> tuple[Mark, str]:
    prefix, dash, kind = label.partition("-")
    if label == "O":
        return OUTSIDE, ""
    if not dash or prefix not in SCHEMES[scheme]:
        written = ", ".join(f"{each}-..." for each in SCHEMES[scheme])
        raise SettingError(
            f"label {label!r} is none of {scheme}: labels must be O, {written}. Leave the "
            "constraints out, or name another scheme"
        )
    return SCHEMES[scheme][prefix], kind


def _may_follow(mark: Mark, kind: str, after: Mark, kind_after: str) -> bool:
    if after.continues:
        return mark.goes_on != "never" and kind == kind_after
    return mark.goes_on != "must"
