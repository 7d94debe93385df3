"""Every question runs at tiny sizes, and all its peers that are here give the same results."""

from importlib import import_module
from importlib.util import find_spec

import pytest
from benchmarks.__main__ import questions
from benchmarks._measure import error
from benchmarks._question import Peer, Question, Sizes
from benchmarks._worker import digest, work_of

# Starts processes of its own, which cost more than all others together.
SLOW = {"accuracy", "start"}


def runs_here(peer: Peer, sizes: Sizes) -> bool:
    """Not what needs another process, or a compiler for minutes."""
    own = dict(peer.environment)
    return (
        "EVERYSTEP_KERNEL" not in own
        and own.get("KERAS_BACKEND", "jax") == "jax"
        and peer.settings.get("way") != "compiled"
        and all(find_spec(name) for name in peer.requires)
        and peer.can(sizes)
    )


def cases() -> list[tuple[Question, Sizes]]:
    """The last case of each question: gradients, or a step of training, where there is one."""
    found = [(each, each.quick_cases()) for each in questions().values() if each.name not in SLOW]
    return [(question, small[-1]) for question, small in found]


@pytest.mark.parametrize(
    ("question", "sizes"),
    [pytest.param(question, sizes, id=question.name) for question, sizes in cases()],
)
def test_peers_agree_at_tiny_sizes(question: Question, sizes: Sizes) -> None:
    if reason := question.needs():
        pytest.skip(reason)
    here = [peer for peer in question.peers if runs_here(peer, sizes)]
    assert here[0] is question.peers[0]
    wanted: list[float] = []
    for peer in here:
        work = work_of(peer.build, {**sizes, **peer.settings})
        found = digest(work.comparable(work.run()))
        off = error(found, wanted)
        assert off is None or off <= question.tolerance, f"{peer.name} is off by {off}"
        wanted = wanted or found


@pytest.mark.parametrize("question", questions().values(), ids=lambda each: each.name)
def test_every_peer_names_a_function_that_exists(question: Question) -> None:
    for peer in question.peers:
        module, function = peer.build.split(":")
        assert callable(getattr(import_module(module), function)), peer.name
    assert len({peer.name for peer in question.peers}) == len(question.peers)
    assert {peer.against for peer in question.peers} - {peer.name for peer in question.peers} <= {
        ""
    }
    if question.growth:
        assert all(question.growth in case for case in question.cases)
