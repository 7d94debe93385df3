"""Checkpoints with a right checksum whose record is what no training writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from everystep.formats import Contents
from tests.hostile.attack import WARNED, Attack, resealed

WHAT_IT_SAYS = "cannot be what it says"

FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "an epoch far away": ({"epoch": 2**62}, f"epoch {2**62}"),
    "an epoch not reached": ({"epoch": 1}, "epoch 1"),
    "a batch behind the last": ({"batch": 4}, "batch 4"),
    "steps beyond 32 bits": ({"steps_done": 2**31}, WHAT_IT_SAYS),
    "steps below zero": ({"steps_done": -1}, WHAT_IT_SAYS),
    "half an epoch": ({"epoch": 0.5}, WHAT_IT_SAYS),
    "an epoch of truth": ({"epoch": True}, WHAT_IT_SAYS),
    "a seed beyond 32 bits": ({"seed": 2**32}, WHAT_IT_SAYS),
    "a seed that is none": ({"seed": {"$number": "nan"}}, WHAT_IT_SAYS),
    "stopped by a word": ({"stopped": "yes"}, WHAT_IT_SAYS),
    "data by number": ({"data": 5}, WHAT_IT_SAYS),
    "other data": ({"data": "0" * 64}, "other data"),
    "a version of truth": ({"version": True}, WHAT_IT_SAYS),
    "no callbacks": ({"callbacks": None}, WHAT_IT_SAYS),
    "callbacks by name": ({"callbacks": {"History 1": {}}}, WHAT_IT_SAYS),
    "a callback by number": ({"callbacks": [[1, {}]]}, WHAT_IT_SAYS),
    "a state that is a list": ({"callbacks": [["History 1", []]]}, WHAT_IT_SAYS),
    "a field more": ({"path": "/etc/passwd"}, "no state of a training"),
    "two states for one": ({"callbacks": [["A 1", {}], ["A 1", {}]]}, "two states"),
    "an array by list": ({"callbacks": [["A 1", {"x": {"$array": []}}]]}, "no array []"),
    "an array to climb by": ({"callbacks": [["A 1", {"x": {"$array": "../x"}}]]}, "'../x'"),
    "a weight as a state": (
        {"callbacks": [["A 1", {"x": {"$array": "weights/dense/kernel"}}]]},
        "no array 'weights/dense/kernel'",
    ),
    "a number by list": ({"callbacks": [["A 1", {"x": {"$number": []}}]]}, "[] is no number"),
    "a number in words": ({"callbacks": [["A 1", {"x": {"$number": "9e9"}}]]}, "'9e9' is no"),
}
"""Changes of the record, and words of the message."""

NAN, INFINITE = {"$number": "nan"}, {"$number": "inf"}

STATES: list[tuple[str, str, Any, str]] = [
    ("EarlyStopping 1", "wait", -1, "-1 as wait"),
    ("EarlyStopping 1", "wait", 2.5, "2.5 as wait"),
    ("EarlyStopping 1", "wait", INFINITE, "inf as wait"),
    ("EarlyStopping 1", "wait", True, "True as wait"),
    ("EarlyStopping 1", "best", NAN, "nan as best"),
    ("EarlyStopping 1", "best", "low", "'low' as best"),
    ("EarlyStopping 1", "best_epoch", -1, "-1 as best_epoch"),
    ("EarlyStopping 1", "best_weights", [], "best_weights of another model"),
    ("EarlyStopping 1", "best_weights", ["a", "b", "c", "d"], "best_weights of another model"),
    ("EarlyStopping 1", "_was_there", 1, "1 as _was_there"),
    ("EarlyStopping 1", "path", "/etc/passwd", "path"),
    ("ReduceLROnPlateau 1", "cooldown_counter", -3, "-3 as cooldown_counter"),
    ("ReduceLROnPlateau 1", "best", NAN, "nan as best"),
    ("History 1", "epoch", ["a"], "no numbers"),
    ("History 1", "epoch", 3, "3 as epoch"),
    ("History 1", "history", {"loss": 3}, "no list of values"),
    ("History 1", "history", {"loss": [1.0]}, "no list of values"),
]
"""Values in the states of callbacks, and words of the message."""


def recorded(
    change: Callable[[dict[str, Any], dict[str, Any]], object],
) -> Callable[[bytes], bytes]:
    """Change the record of a checkpoint and its arrays; a weight too, which must not be taken."""

    def edit(contents: Contents) -> None:
        kernel = next(name for name in contents.tensors if name.endswith("/kernel"))
        contents.tensors[kernel] = contents.tensors[kernel] + 1
        record = json.loads(contents.metadata["training"])
        change(record, contents.tensors)
        contents.metadata["training"] = json.dumps(record)

    return resealed(edit)


def state_of(record: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = dict(record["callbacks"])[name]
    return found


def best_weights(arrays: list[Any], place: str = "callbacks/best/{}") -> Any:
    """Let the best weights be these arrays."""

    def change(record: dict[str, Any], tensors: dict[str, Any]) -> None:
        names = [place.format(number) for number in range(len(arrays))]
        tensors |= dict(zip(names, arrays, strict=True))
        kept = [{"$array": name} for name in names]
        state_of(record, "EarlyStopping 1")["best_weights"] = kept

    return change


def zeros(dtype: str, *shapes: tuple[int, ...]) -> list[Any]:
    return [np.zeros(shape, dtype) for shape in shapes]


SHAPES = ((2, 3), (3,), (3, 1), (1,))


def with_fields(fields: dict[str, Any]) -> Any:
    return lambda record, tensors: record.update(fields)


def with_array(name: str, array: Any) -> Any:
    return lambda record, tensors: tensors.__setitem__(name, array)


ARRAYS: list[tuple[str, Any, str]] = [
    ("best weights turned", best_weights(zeros("float32", (3, 2), *SHAPES[1:])), "another model"),
    ("best weights of integers", best_weights(zeros("int32", *SHAPES)), "another model"),
    (
        "one array for all",
        best_weights(zeros("float32", *[(3,)] * 4), "callbacks/best"),
        "or has it twice",
    ),
    ("an array of nobody", with_array("callbacks/9/x", np.zeros(3)), "that none has kept"),
    ("an array behind the last", with_array("optimizer/99", np.zeros(3)), "are others"),
    ("an array elsewhere", with_array("elsewhere", np.zeros(3)), "are others"),
    ("a measure of a shape", with_array("measures/0", np.zeros(3, "float32")), "measures/0"),
    ("steps by halves", with_array("optimizer/0", np.float32(0.5)), "optimizer/0"),
]
"""Changes of the arrays, and words of the message."""


def in_state(name: str, field: str, value: Any) -> Callable[[bytes], bytes]:
    return recorded(lambda record, tensors: state_of(record, name).__setitem__(field, value))


def record_attacks() -> Iterator[Attack]:
    for what, (fields, says) in FIELDS.items():
        yield Attack(0, "checkpoint", what, recorded(with_fields(fields)), says)
    for name, field, value, says in STATES:
        made = in_state(name, field, value)
        yield Attack(0, "checkpoint", f"{name}: {field} {value!r}", made, says)
    for what, change, says in ARRAYS:
        yield Attack(0, "checkpoint", what, recorded(change), says)
    deep: Any = 1
    for _ in range(90):
        deep = [deep]
    for what, value in (("deep measures", deep), ("tables for measures", {}), ("no measure", None)):

        def measured(record: Any, tensors: Any, value: Any = value) -> None:
            state_of(record, "History 1").update(epoch=[0], history={"loss": [value]})

        yield Attack(0, "checkpoint", what, recorded(measured), "no numbers")
    broken = np.full((2, 3), np.nan, "float32")
    moment = recorded(with_array("optimizer/2", broken))
    yield Attack(19, "checkpoint", "a moment", moment, "optimizer/2", WARNED)
