"""Colours of weights can be read on their ground and told apart, by colour-blind people too."""

from itertools import combinations
from math import dist

import numpy as np
import pytest

from everystep.drawing.palette import DARK, LIGHT, WEIGHT_COLOURS

# Machado, Oliveira and Fernandes (2009), a model of colour vision, at severity 1.
SEEN = {
    "all colours": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
WHITE = [0.9505, 1.0, 1.089]


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(colour: str, seen: str) -> list[float]:
    """Where a colour stands in CIELAB, in which 2 is just about a difference that people notice."""
    xyz = np.array(TO_XYZ) @ np.clip(np.array(SEEN[seen]) @ linear(colour), 0, 1) / WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(np.array(TO_XYZ)[1] @ linear(each)) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("seen", list(SEEN))
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_weights_can_be_told_apart(colours: dict[str, str], seen: str) -> None:
    places = [lab(colours[f"w{number}"], seen) for number in range(WEIGHT_COLOURS)]
    assert min(dist(*pair) for pair in combinations(places, 2)) > 20


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_names_of_weights_can_be_read(colours: dict[str, str]) -> None:
    inks = [colours[f"w{number}"] for number in range(WEIGHT_COLOURS)]
    grounds = (colours["paper"], colours["panel"])
    assert min(contrast(ink, ground) for ink in inks for ground in grounds) > 4.5


def test_the_measures_are_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21, rel=1e-3)
    assert lab("#ffffff", "all colours") == pytest.approx([100, 0, 0], abs=0.05)
    # Someone without green sees these two greys of equal lightness as nearly one.
    red, green = lab("#b35a40", "no green"), lab("#7a7838", "no green")
    assert dist(red, green) < dist(lab("#b35a40", "all colours"), lab("#7a7838", "all colours")) / 3
