"""The native code survives whatever it is called with; `native_calls` makes more of such calls."""

from collections.abc import Iterator
from typing import Any

import pytest

from everystep.kernels.extension import extension
from tests.faults.native_calls import KINDS, Caller, survives, tally

pytestmark = [
    pytest.mark.skipif(bool(extension().why_not), reason=f"no native twin: {extension().why_not}"),
    pytest.mark.usefixtures("on_a_cpu"),
]

LOOP = [
    "portable",
    1,
    1,
    2,
    False,
    *[[[3, 12], "float32", "plain", 0]] * 2,
    None,
    None,
    None,
    False,
]


def endless() -> dict[str, Any]:
    """The gradients of more steps than there is memory for, of no rows."""
    rows, units = [0, 2**31 - 1, 3], [0, 2**31 - 1, 4]
    kernels: Any = [[3, 12], [4, 12]]
    nothing: Any = [[0]] * 5
    arguments: Any = [rows, *kernels, *nothing, [0, 4], [0], units, [0], units, [0, 4], [0]]
    results: Any = [rows, *kernels, [12], [12], [0], [0, 4], [0], [0]]

    def written(shape: Any, number: int) -> Any:
        return [shape, "int32" if number == 6 else "float32", "plain", 0]

    return {
        "kind": "foreign",
        "name": "everystep_backward",
        "arguments": [written(shape, number) for number, shape in enumerate(arguments)],
        "results": [written(shape, -1) for shape in results],
        "attributes": {
            "path": "portable",
            "cell": 2,
            "activation": 1,
            "gate_activation": 2,
            **dict.fromkeys(("packed_rows", "reverse", "zero_output"), False),
        },
    }


# What has ended a process, or kept it busy for ever, until it was looked at.
FOUND: dict[str, Any] = {
    "operations behind a stepper that has been made": {
        "kind": "stepping",
        "calls": [
            ["softmax", [3]],
            ["Stepper", [2]],
            ["loop", LOOP],
            ["run", [[[2, 5, 3], "float32", "plain", 0], None, [[2, 5, 3], "float32", "plain", 0]]],
        ],
    },
    "more numbers in a chunk than 64 bits count": {
        "kind": "stepping",
        "calls": [
            ["multiply", [[[0, 64], "float32", "plain", 0], None]],
            ["Stepper", [2**29]],
            [
                "run",
                [[[2**29, 2**29, 0], "float32", "plain", 0], None, [[0], "float32", "plain", 0]],
            ],
        ],
    },
    "steps without end of no rows": endless(),
}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    """One process for all calls, until one of them ends it."""
    caller = Caller()
    yield caller
    caller.close()


@pytest.mark.parametrize("name", FOUND)
def test_what_once_ended_the_process_does_not(name: str, caller: Caller) -> None:
    survives(caller, FOUND[name], False)


@pytest.mark.parametrize("kind", KINDS)
def test_no_call_ends_the_process(kind: str, caller: Caller) -> None:
    found = tally(kind, 25, seed=1, caller=caller)
    assert found.failures == []
    assert found.tries >= 25


def test_an_end_of_the_process_is_seen_and_named() -> None:
    caller = Caller()
    with pytest.raises(AssertionError, match=r"ended with 1 in .*no such kind"):
        caller.ask({"kind": "no such kind"})
    caller.close()
