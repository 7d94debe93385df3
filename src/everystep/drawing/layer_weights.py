"""The weights of each layer in a model: one letter and colour, or one for each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from everystep.drawing.explained import LayerRead
from everystep.drawing.palette import WEIGHT_COLOURS
from everystep.drawing.places import numbered

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ARROW: Final = "\N{RIGHTWARDS ARROW}"
_TIMES: Final = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class LayerWeights:
    """How pictures show the weights of a layer.

    Args:
        letter: its letter; "" for a layer without weights.
        number: how many layers with weights stand before it.
        own: whether each of its steps has weights of its own.
    """

    letter: str = ""
    number: int = 0
    own: bool = False

    def name(self, step: int) -> str:
        """Return the name of the weights that make a step."""
        return numbered(self.letter, step) if self.own else self.letter

    def class_(self, step: int) -> str:
        """Return the class of their colour."""
        if not self.letter:
            return "none"
        return f"w{(self.number + (step if self.own else 0)) % WEIGHT_COLOURS}"

    def in_words(self, steps: int) -> str:
        """Say which of a layer's steps use them.

        >>> LayerWeights("A").in_words(4), LayerWeights("B", own=True).in_words(4)
        ('A for all steps', 'B, each step its own')
        """
        if not self.letter or steps < 2:
            return self.letter or "none"
        return f"{self.letter}, each step its own" if self.own else f"{self.letter} for all steps"


def weights_of_layers(layers: list[LayerRead]) -> list[LayerWeights]:
    """Give each layer that has weights a letter; several calls of one layer have one.

    Args:
        layers: the layers of a model.
    """
    paths = dict.fromkeys(layer["path"] for layer in layers if layer["weights"])
    numbers = {path: number for number, path in enumerate(paths)}
    return [
        LayerWeights(_letter(numbers[layer["path"]]), numbers[layer["path"]], _own(layer))
        if layer["weights"]
        else LayerWeights()
        for layer in layers
    ]


def _letter(number: int) -> str:
    return _LETTERS[number] if number < len(_LETTERS) else f"A{number}"


def _own(layer: LayerRead) -> bool:
    """Say whether each step of a layer has weights of its own, or values of them."""
    return layer["steps"] > 1 and max(layer["used_by"], default=0) == 1


def weights_in_words(layer: LayerRead, weights: LayerWeights) -> str:
    """Say how many parameters a layer has and which of its steps use them."""
    if not layer["weights"]:
        return "no weights"
    return f"{layer['parameters']:,} parameters, {weights.in_words(layer['steps'])}"


def shapes_in_words(layer: LayerRead) -> tuple[str, str]:
    """Write the shapes before and after a layer; equal ones of several sources once.

    >>> shapes_in_words({"input_shapes": ["(batch, 4, 3)"], "output_shape": "(batch, 4, 5)"})
    ('(batch, 4, 3)', '→ (batch, 4, 5)')
    """
    shapes = layer["input_shapes"]
    before = dict.fromkeys(shapes)
    times = f"{len(shapes)} {_TIMES} " if len(shapes) > len(before) == 1 else ""
    read = times + ", ".join(before if times else shapes)
    return read, f"{_ARROW} {layer['output_shape']}"


def layer_name(layer: LayerRead) -> str:
    """Return a layer's own name, without those of the models around it."""
    return layer["path"].rsplit("/", 1)[-1]
