"""What a training depends on from one step to the next, as arrays and plain data, and back."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from everystep.callbacks import Callback
from everystep.core.randomness import global_seed, use_seed
from everystep.core.warning import warn_user
from everystep.errors import FormatError, StateError
from everystep.formats import Contents, parse_json, write_json
from everystep.models.matching import matched
from everystep.models.rebuilding import set_weights
from everystep.training.running import Running

if TYPE_CHECKING:
    from everystep.models.model import Model

VERSION = 1
"""The version of what is written, and the newest one that is read."""

_RECORD, _ARRAYS, _WEIGHTS = "training", "callbacks/", "weights/"
_ARRAY, _NUMBER = "$array", "$number"

Tensors = dict[str, np.ndarray[Any, Any]]


def state_of(model: Model) -> Contents:
    """Return all that the next step of a running training depends on; see `Model.training_state`.

    Raises:
        StateError: the model is not being trained by `fit`.
    """
    running = _running(model)
    # Copies: the next step writes into the memory of these arrays.
    tensors = {place: np.array(each.peek()) for place, each in running.variables.items()}
    record = {
        "version": VERSION,
        "epoch": running.epoch,
        "batch": running.batch,
        "epochs_done": model._epochs_done,
        "steps_done": model._steps_done,
        "stopped": model.stop_training,
        "seed": global_seed(),
        "data": running.fingerprint,
        "callbacks": [
            [name, _written(callback.get_state(), f"{_ARRAYS}{number}", tensors)]
            for number, (name, callback) in enumerate(_named(running).items())
        ],
    }
    return Contents(tensors, {_RECORD: write_json(record)})


def set_state(model: Model, contents: Contents, where: str) -> None:
    """Let a training that begins go on from an earlier state; see `Model.set_training_state`.

    Raises:
        FormatError: the state is of another model, other data, or a newer version; then nothing
            has changed.
        StateError: the model is not being trained by `fit`.
    """
    running = _running(model)
    record = _record(contents, where)
    count = math.inf if running.count is None else running.count
    if record["epoch"] > running.epoch + record["epochs_done"] or record["batch"] > count:
        raise FormatError(
            f"{where}: cannot be at batch {record['batch']} of epoch {record['epoch']}, with "
            f"{record['epochs_done']} epochs done of {count} batches each"
        )
    if record["data"] != running.fingerprint:
        raise FormatError(
            f"{where}: is of a training on other data: give the same data and batch size as "
            "before, or another folder to start anew"
        )
    arrays = {n: array for n, array in contents.tensors.items() if n.startswith(_ARRAYS)}
    given = {n: array for n, array in contents.tensors.items() if n not in arrays}
    variables = running.variables
    # Only names of weights may differ in their automatic numbers.
    found = {n: array for n, array in given.items() if not n.startswith(_WEIGHTS)}
    weights = {n: array for n, array in given.items() if n not in found}
    wanted = [n for n in variables if n.startswith(_WEIGHTS)]
    found |= matched(wanted, weights, where)
    if found.keys() != variables.keys():
        raise FormatError(
            f"{where}: the optimizer or the metrics are others: {len(found)} arrays are kept, of "
            f"{len(variables)} that this training has. Compile the model as before"
        )
    kept = _kept(running, record["callbacks"], arrays, where)
    set_weights(variables, found, where)
    running.epoch, running.batch = record["epoch"], record["batch"]
    model._epochs_done, model._steps_done = record["epochs_done"], record["steps_done"]
    model.stop_training = record["stopped"]
    use_seed(record["seed"])
    for callback, state in kept:
        callback.set_state(state)


def _running(model: Model) -> Running:
    if model.running is None:
        raise StateError(f"model '{model.name}' is not being trained: its state is that of a fit")
    return model.running


def _named(running: Running) -> dict[str, Any]:
    """Return the callbacks that have a state, by class, numbered where one comes again."""
    seen: Counter[str] = Counter()
    found = {}
    for callback in running.calls.callbacks:
        # Keras's own callbacks have none.
        if callable(getattr(callback, "get_state", None)):
            name = type(callback).__name__
            seen[name] += 1
            found[f"{name} {seen[name]}"] = callback
    return found


def _kept(
    running: Running, written: list[tuple[str, Any]], arrays: Tensors, where: str
) -> list[tuple[Any, Any]]:
    """Return the callbacks that there are, each with its state, which it has found to be one."""
    there, taken = _named(running), set[str]()
    states = {name: _read(state, arrays, taken, where) for name, state in written}
    if len(states) < len(written) or taken != arrays.keys():
        raise FormatError(f"{where}: has two states for one callback, or arrays that none has kept")
    gone = [name for name, state in states.items() if state and name not in there]
    found = [(there[name], state) for name, state in states.items() if name in there]
    for callback, state in found:
        if isinstance(callback, Callback):
            try:
                callback.check_state(state)
            except FormatError as error:
                raise FormatError(f"{where}: {error}") from None
    if gone:
        warn_user(f"{where}: there is no callback any more for the state of {', '.join(gone)}")
    return found


# What holds for each part of the record, so that a file cannot put anything else in its place.
_PARTS: dict[str, Callable[[Any], bool]] = {
    "version": lambda value: type(value) is int,
    "epoch": lambda value: type(value) is int and value >= 0,
    "batch": lambda value: type(value) is int and value >= 0,
    "epochs_done": lambda value: type(value) is int and value >= 0,
    "steps_done": lambda value: type(value) is int and 0 <= value < 2**31,
    "stopped": lambda value: type(value) is bool,
    "seed": lambda value: type(value) is int and 0 <= value < 2**32,
    "data": lambda value: type(value) is str,
    "callbacks": lambda value: (
        type(value) is list
        and all(
            type(each) is list and len(each) == 2 and type(each[0]) is str and type(each[1]) is dict
            for each in value
        )
    ),
}


def _record(contents: Contents, where: str) -> dict[str, Any]:
    """Return the record of a file, each part of which is of its kind."""
    record = parse_json(contents.metadata.get(_RECORD, "null"), f"{where}: {_RECORD}")
    version = record.get("version") if isinstance(record, dict) else None
    if type(version) is int and version > VERSION:
        raise FormatError(
            f"{where}: was written by a newer version of everystep: {version}, and this one reads "
            f"up to {VERSION}"
        )
    if not isinstance(record, dict) or record.keys() != _PARTS.keys():
        raise FormatError(f"{where}: is no state of a training")
    wrong = [name for name, holds in _PARTS.items() if not holds(record[name])]
    if wrong:
        raise FormatError(f"{where}: {', '.join(wrong)} of the training cannot be what it says")
    return record


def _written(value: Any, place: str, tensors: Tensors) -> Any:
    """Return plain data in which arrays have gone to `tensors`."""
    if isinstance(value, dict):
        return {name: _written(item, f"{place}/{name}", tensors) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_written(item, f"{place}/{number}", tensors) for number, item in enumerate(value)]
    if isinstance(value, np.ndarray | jax.Array):
        tensors[place] = np.array(value)
        return {_ARRAY: place}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: repr(value)}
    return value


def _read(value: Any, arrays: Tensors, taken: set[str], where: str) -> Any:
    """Return what `_written` was given, tuples as lists, and note which arrays were taken."""
    if isinstance(value, list):
        return [_read(item, arrays, taken, where) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_ARRAY}:
        place = value[_ARRAY]
        if not isinstance(place, str) or place not in arrays or place in taken:
            raise FormatError(f"{where}: has no array {place!r:.80}, or has it twice")
        taken.add(place)
        return arrays[place]
    if value.keys() == {_NUMBER}:
        if value[_NUMBER] not in ("nan", "inf", "-inf"):
            raise FormatError(f"{where}: {value[_NUMBER]!r:.80} is no number")
        return float(value[_NUMBER])
    return {name: _read(item, arrays, taken, where) for name, item in value.items()}
