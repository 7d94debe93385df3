"""The plain data of what computes on a machine, as `everystep doctor --json` prints it."""

from __future__ import annotations

from typing import TypedDict


class Twin(TypedDict):
    """A twin of the recurrent loop, asked about an LSTM in float32."""

    name: str
    runs: bool
    why_not: str
    cure: str


class Native(TypedDict):
    """The native twin: its instructions, and those that were built but this processor has not.

    What it has is empty where it is not there.
    """

    compiler: str
    instructions: list[str]
    not_here: list[str]
    in_use: str
    threads: int
    types: list[str]


class Health(TypedDict):
    """What computes on a machine."""

    versions: dict[str, str]
    devices: list[str]
    twins: list[Twin]
    native: Native
