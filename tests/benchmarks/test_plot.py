"""Tests of the pictures of time against size, as far as a program can judge them."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmarks._question import Peer, Question, Sizes
from benchmarks._times import Measured, Times

pytest.importorskip("matplotlib", reason="matplotlib draws the pictures, and is not installed")

PEERS = (Peer("everystep", "a:b"), Peer("torch", "a:c"), Peer("somebody else", "a:d"))


def measured(units: int, task: str) -> Measured:
    sizes: Sizes = {
        "cell": "LSTM",
        "task": task,
        "batch": 2,
        "steps": 3,
        "features": 4,
        "units": units,
    }
    # The last peer does not take part at the largest size.
    names = [peer.name for peer in PEERS[: 2 if units == 64 else 3]]
    times = [Times(name, 1.0, None, None, "", [units * 1e-4]) for name in names]
    return Measured("toy", sizes, times, [], 1e9, flops=units * 1e4)


def texts(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()
    return [
        "".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def test_a_picture_has_a_panel_for_each_work_and_a_line_for_each_peer(tmp_path: Path) -> None:
    from benchmarks._plot import CEILING, plot

    question = Question("toy", "How fast?", PEERS, (), growth="units")
    results = [measured(units, task) for units in (64, 16, 32) for task in ("forward", "gradients")]
    path = tmp_path / "toy.svg"
    plot(question, results, path)
    found = texts(path)
    assert {"LSTM, forward", "LSTM, forward and backward"} <= set(found)
    assert {*(peer.name for peer in PEERS), CEILING} <= set(found)
    assert found.count("16") == found.count("64") == 2  # The axis of each panel.
    assert "units" in found
    again = tmp_path / "again.svg"
    plot(question, results, again)
    assert path.read_bytes() == again.read_bytes()


def test_a_question_of_one_kind_of_work_has_one_panel(tmp_path: Path) -> None:
    from benchmarks._plot import plot

    question = Question("toy", "How fast?", PEERS, (), growth="units")
    times = [Times("everystep", 1.0, None, None, "", [0.1])]
    results = [Measured("toy", {"units": units}, times, [], 1e9, None) for units in (16, 32)]
    plot(question, results, tmp_path / "toy.svg")
    assert "toy" in texts(tmp_path / "toy.svg")
