"""A graph as plain data from a file: checked, and without the masks that follow by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from everystep.errors import SettingError
from everystep.layers.operators import OPERATIONS

_SYMBOL = "__keras_tensor__"
_MASK_MAKERS = ("Embedding", "Masking")
# What Keras computes with masks on their way from layer to layer.
_MASK_OPERATIONS = ("Any", "Concatenate", "ExpandDims", "LogicalAnd", "LogicalOr")
_CONSTANT_MASKS = ("OnesLike", "ZerosLike")


class Place(NamedTuple):
    """Where a symbol comes from: a layer, the number of its call, and of the output of that."""

    layer: str
    call: int
    position: int


@dataclass(frozen=True)
class WrittenGraph:
    """The layers of a configuration by name.

    Args:
        layers: what the configuration says of each layer, in its order.
    """

    layers: dict[str, Mapping[str, Any]]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> WrittenGraph:
        """Check the form of a configuration.

        Raises:
            SettingError: it is not the configuration of a graph.
        """
        layers: dict[str, Mapping[str, Any]] = {}
        for data in config["layers"]:
            if not (
                isinstance(data, dict)
                and isinstance(data.get("name"), str)
                and isinstance(data.get("inbound_nodes"), list)
            ):
                raise SettingError(
                    "the configuration of a model must list its layers, each with its name and "
                    f"its inbound_nodes, not {str(data)[:200]}"
                )
            if data["name"] in layers:
                raise SettingError(
                    f"the configuration of a model has two layers named '{data['name']}'"
                )
            layers[data["name"]] = data
        return cls(layers)

    def layer(self, name: str) -> dict[str, Any]:
        """Return what the configuration says of a layer, without its calls."""
        if name not in self.layers:
            raise SettingError(f"the configuration of a model has no layer '{name}', but needs it")
        return {key: value for key, value in self.layers[name].items() if key != "inbound_nodes"}

    def arguments(self, name: str, call: int) -> dict[str, Any] | None:
        """Return what a layer is called on; None for an input, which is called on nothing."""
        self.layer(name)
        calls = self.layers[name]["inbound_nodes"]
        if not calls and call == 0:
            return None
        if not 0 <= call < len(calls):
            raise SettingError(f"the configuration of a model has no call {call} of layer '{name}'")
        data = calls[call]
        if not (
            isinstance(data, dict)
            and isinstance(data.get("args"), list)
            and isinstance(data.get("kwargs"), dict)
        ):
            raise SettingError(
                f"call {call} of layer '{name}' must hold args and kwargs, as Keras 3 writes it"
            )
        kwargs = {
            key: None if _is_mask(key) and self._holds_everywhere(value) else value
            for key, value in data["kwargs"].items()
        }
        kept = {key: value for key, value in kwargs.items() if not self._follows(key, value)}
        return {"args": data["args"], "kwargs": kept}

    def places_in(self, name: str, call: int) -> list[Place]:
        """Return where the symbols come from that a layer is called on."""
        return list(_places(self.arguments(name, call)))

    def _follows(self, name: str, value: Any) -> bool:
        """Whether an argument is a mask that the arrays carry by themselves.

        Keras writes the arithmetic of such masks as operations of the graph.
        """
        if not _is_mask(name):
            return False
        pending, seen = list(_places(value)), set()
        if not pending:
            return False
        while pending:
            place = pending.pop()
            if place.layer in seen:
                continue
            seen.add(place.layer)
            data = self.layer(place.layer)
            args = [call.get("args") for call in self.layers[place.layer]["inbound_nodes"]]
            if data.get("module") != OPERATIONS:
                return False
            if data["class_name"] == "NotEqual":
                if not set(_places(args)) <= self._masked_inputs():
                    return False
            elif data["class_name"] in _MASK_OPERATIONS:
                pending.extend(_places(args))
            elif data["class_name"] not in _CONSTANT_MASKS:
                return False
        return True

    def _holds_everywhere(self, value: Any) -> bool:
        """Whether a mask is that of features of which some have none, which Keras then drops."""
        joined = [part for place in _places(value) for part in self._operands(place, "Any")]
        return any(
            self._is_operation(part, "OnesLike")
            for place in joined
            if self.layers[place.layer]["config"].get("axis") in (-1, 2)
            for part in self._operands(place, "Concatenate")
        )

    def _operands(self, place: Place, name: str) -> list[Place]:
        """Return what an operation of this name takes, nothing if the place is that of another."""
        if not self._is_operation(place, name):
            return []
        return list(_places([call["args"] for call in self.layers[place.layer]["inbound_nodes"]]))

    def _is_operation(self, place: Place, name: str) -> bool:
        data = self.layer(place.layer)
        return (data.get("module"), data.get("class_name")) == (OPERATIONS, name)

    def _masked_inputs(self) -> set[Place]:
        """Return what layers read that give masks."""
        return {
            place
            for data in self.layers.values()
            if data.get("class_name") in _MASK_MAKERS
            for call in data["inbound_nodes"]
            for place in _places(call.get("args"))
        }


def _is_mask(name: str) -> bool:
    return name == "mask" or name.endswith("_mask")


def is_written_symbol(data: Any) -> bool:
    """Whether plain data stands for a symbol."""
    return isinstance(data, dict) and data.get("class_name") == _SYMBOL


def place_of(history: Any) -> Place:
    """Return where a symbol comes from, as its data says.

    Raises:
        SettingError: the data does not say so.
    """
    if isinstance(history, list | tuple) and len(history) == 3:
        layer, call, position = history
        if isinstance(layer, str) and isinstance(call, int) and isinstance(position, int):
            return Place(layer, call, position)
    raise SettingError(
        "a symbol in the configuration of a model must name a layer, its call and its output, not "
        f"{str(history)[:200]}"
    )


def _places(data: Any) -> Iterator[Place]:
    """Go through plain data and yield where each symbol in it comes from."""
    pending = [data]
    while pending:
        item = pending.pop()
        if is_written_symbol(item):
            config = item.get("config")
            yield place_of(config.get("keras_history") if isinstance(config, dict) else None)
        elif isinstance(item, list | tuple):
            pending.extend(reversed(item))
        elif isinstance(item, dict):
            pending.extend(item.values())
