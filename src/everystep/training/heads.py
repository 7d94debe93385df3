"""Losses and metrics for each output of a model, from what `compile` was given for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from everystep import losses, metrics
from everystep.errors import DataError, SettingError
from everystep.kinds import shown
from everystep.losses import Loss
from everystep.metrics import Mean, Metric


@dataclass(frozen=True)
class Compiled:
    """What `compile` was given: for one output, for all alike, or for each in a list or dict."""

    optimizer: Any
    loss: Any
    loss_weights: Any
    metrics: Any
    weighted_metrics: Any


@dataclass
class Head:
    """What is measured at one output of a model.

    Args:
        name: the output's name; None where there is only one, or it has none.
        loss: the loss, or None.
        weight: what the loss counts in the sum over all outputs; None for 1.
        metrics: metrics in which each real step counts alike.
        weighted_metrics: metrics in which each step counts by its weight.
        classes: the size of the output's last axis.
        masked: whether the output carries a mask.
        mean_loss: the mean of this loss alone, where there are several.
    """

    name: str | None
    loss: Loss | None
    weight: float | None
    metrics: list[Metric]
    weighted_metrics: list[Metric]
    classes: int | None = None
    masked: bool = False
    mean_loss: Mean | None = None

    @property
    def measured(self) -> bool:
        """Whether the output is compared with targets at all."""
        return bool(self.loss or self.metrics or self.weighted_metrics)

    def written(self, name: str) -> str:
        """Return the name of a measure of this output."""
        return name if self.name is None else f"{self.name}_{name}"


def resolved(given: Any) -> Any:
    """Return losses for what stands in `loss`; an unknown name is an error now, not in fit."""
    if _is_by_name(given):
        return {name: resolved(item) for name, item in given.items()}
    if isinstance(given, list | tuple):
        return [resolved(item) for item in given]
    return None if given is None else losses.resolve(given)


def numbers(given: Any) -> Any:
    """Return the weights of losses as they were given, after checking that they are numbers."""
    leaves = list(given.values()) if isinstance(given, Mapping) else given
    for each in leaves if isinstance(leaves, list | tuple) else [leaves]:
        if isinstance(each, bool) or not isinstance(each, int | float | None):
            raise SettingError(
                "Expected `loss_weights` to be a number, or a list or dict with one for each "
                f"output, not {shown(given)}"
            )
    return given


def known_metrics(given: Any, what: str) -> Any:
    """Return metrics as they were given; an unknown name is an error now, not in fit."""
    if given is not None and not (isinstance(given, list | tuple) or _is_by_name(given)):
        raise SettingError(
            f"Expected `{what}` to be a list such as ['accuracy'], not {shown(given)}"
        )
    _check_each(given)
    return given


def _check_each(given: Any) -> None:
    if _is_by_name(given):
        given = list(given.values())
    if isinstance(given, list | tuple):
        for item in given:
            _check_each(item)
    elif given is not None:
        metrics.resolve(given, (None,), (None,))


def heads_of(
    compiled: Compiled, names: Sequence[str | None], shapes: Sequence[tuple[Any, Any]]
) -> list[Head]:
    """Return what is measured at each output.

    Args:
        compiled: what `compile` was given.
        names: the outputs' names.
        shapes: for each output the shapes of its targets, None where it has none, and of itself.

    Raises:
        SettingError: a list or dict does not go with the outputs.
    """
    several = len(names) > 1
    each = _for_each(compiled.loss, names, "loss", shared=True)
    weights = _for_each(compiled.loss_weights, names, "loss_weights", shared=not several)
    plain, weighted = (
        _for_each(given, names, what, shared=False) if several else [_flat(given)]
        for given, what in (
            (compiled.metrics, "metrics"),
            (compiled.weighted_metrics, "weighted_metrics"),
        )
    )
    heads = []
    for number, (target, output) in enumerate(shapes):
        chosen = [
            [metrics.resolve(item, target, output) for item in _flat(group[number])]
            if target is not None
            else []
            for group in (plain, weighted)
        ]
        name = names[number] if several else None
        loss = each[number]
        if target is None and (loss is not None or _flat(plain[number])):
            raise DataError(
                f"output {names[number] or number} has a loss or metrics, but y has no targets for "
                "it: give some, or None as its loss"
            )
        head = Head(name, loss, weights[number], chosen[0], chosen[1], classes=output[-1])
        if several and loss is not None:
            head.mean_loss = Mean(name=f"{name or loss.name}_loss")
        heads.append(head)
    return heads


def _for_each(given: Any, names: Sequence[str | None], what: str, shared: bool) -> list[Any]:
    """Return what was given for each output."""
    count = len(names)
    if _is_by_name(given):
        unknown = [name for name in given if name not in names]
        if unknown and not (count == 1 and len(given) == 1):
            raise SettingError(
                f"Expected keys {list(names)} in {what} dict, but found {list(given)}: give one "
                "entry for each output of the model, by its name"
            )
        return list(given.values()) if unknown else [given.get(name) for name in names]
    if isinstance(given, list | tuple):
        if len(given) != count:
            raise SettingError(
                f"{what} must have one entry for each of the model's {count} outputs "
                f"{list(names)}, not {len(given)}: {given!r}"
            )
        return list(given)
    if given is None or shared:
        return [given] * count
    raise SettingError(
        f"{what} of a model with {count} outputs must be a list with one entry for each, or a "
        f"dict by their names {list(names)}, not {shown(given)}"
    )


def _is_by_name(given: Any) -> bool:
    """Whether something is a dict by names of outputs, not the configuration of an object."""
    return isinstance(given, Mapping) and "class_name" not in given


def _flat(given: Any) -> list[Any]:
    """Return the metrics in lists and dicts, one after the other."""
    if given is None:
        return []
    if _is_by_name(given):
        given = list(given.values())
    if isinstance(given, list | tuple):
        return [each for item in given for each in _flat(item)]
    return [given]
