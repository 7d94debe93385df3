"""How two programs are related, and the answer as an object."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from everystep.errors import DataError, ShapeError
from everystep.explanation.program import Port
from everystep.explanation.relation.excluding import CounterExample
from everystep.explanation.relation.family import Family
from everystep.explanation.relation.inclusion import Inclusion, inclusion, reverse
from everystep.explanation.relation.mapping import WeightMapping

Verdict = Literal["same", "narrower", "wider", "different", "unknown"]

_VERDICTS: dict[tuple[bool | None, bool | None], Verdict] = {
    (True, True): "same",
    (True, False): "narrower",
    (False, True): "wider",
    (False, False): "different",
}

_WORDS: dict[Verdict, str] = {
    "same": "{a} and {b} have the same functions",
    "narrower": "every function of {a} is one of {b}, but not the reverse",
    "wider": "every function of {b} is one of {a}, but not the reverse",
    "different": "{a} and {b} each have functions that the other has not",
    "unknown": "how {a} and {b} are related could not be shown",
}


@dataclass(frozen=True)
class Evidence:
    """What shows how two programs are related, in both directions.

    Called with the weights of a by path, it returns those of b that make both the same function,
    where there are some; where only b's functions are among a's, it takes b's and returns a's.

    Args:
        forward: whether a's functions are among b's: the weight mapping or the counter-example.
        backward: whether b's functions are among a's.
    """

    forward: WeightMapping | CounterExample | None
    backward: WeightMapping | CounterExample | None

    def __call__(self, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the other program's weights.

        Raises:
            DataError: neither program's functions are all among the other's.
        """
        for mapping in (self.forward, self.backward):
            if isinstance(mapping, WeightMapping):
                return mapping(weights)
        raise DataError(
            "no weights were found that make one program every function of the other; see "
            "`evidence.forward` and `evidence.backward` for what was found instead"
        )


@dataclass(frozen=True)
class Relation:
    """How the functions of two programs are related, over all settings of their weights.

    Args:
        verdict: `"same"`: each function of a, for some setting of its weights, is a function of b,
            and the reverse; `"narrower"`: only a's functions are among b's; `"wider"`: only b's
            among a's; `"different"`: neither; `"unknown"`: not all of it could be shown.
        evidence: the weight mapping, which can be called, or the counter-example, see `Evidence`.
        shown: what shows it, in words.
        names: what the two are called in it.
    """

    verdict: Verdict
    evidence: Evidence
    shown: str
    names: tuple[str, str]

    @property
    def reason(self) -> str:
        """The verdict and what shows it, in words."""
        a, b = self.names
        return f"{_WORDS[self.verdict].format(a=a, b=b)}: {self.shown}"

    def __repr__(self) -> str:
        a, b = self.names
        return f"<Relation {a} to {b}: {self.verdict}>"

    def to_text(self) -> str:
        """Return the relation as text of several lines."""
        a, b = self.names
        lines = [f"{a} to {b}: {self.verdict}", _WORDS[self.verdict].format(a=a, b=b)]
        sides = [(a, b, self.evidence.forward), (b, a, self.evidence.backward)]
        for one, other, side in sides:
            if isinstance(side, WeightMapping):
                lines += ["", f"{one} is {other} (verified on {side.verified} draws)"]
                lines += [_indented(line) for line in side.lines]
            elif side is not None:
                lines += ["", f"{one} is not always {other}", _indented(side.words)]
        if None in (self.evidence.forward, self.evidence.backward):
            lines += ["", _indented(self.shown)]
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """Return the relation as plain data: text, numbers, lists and mappings."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "names": list(self.names),
            "evidence": {
                name: _plain(side)
                for name, side in (
                    ("forward", self.evidence.forward),
                    ("backward", self.evidence.backward),
                )
            },
        }


def _indented(words: str) -> str:
    return textwrap.fill(words, 88, initial_indent="  ", subsequent_indent="    ")


def _plain(side: WeightMapping | CounterExample | None) -> dict[str, Any] | None:
    if side is None:
        return None
    if isinstance(side, WeightMapping):
        return {
            "kind": "mapping" if side.exact else "least squares mapping",
            "lines": list(side.lines),
            "draws": side.verified,
            "error": side.error,
        }
    return {
        "kind": f"counter-example: {side.kind}",
        "words": side.words,
        "weights": {path: value.tolist() for path, value in side.weights.items()},
        "inputs": [value.tolist() for value in side.inputs],
        "residual": side.residual,
    }


def related(a: Family, b: Family) -> Relation:
    """Return how two families of functions are related.

    A family compiles its program once, so that one that is related to several others should be
    the same object each time.

    Args:
        a: a family.
        b: another, on inputs of the same shapes and dtypes.

    Raises:
        ShapeError: they take different inputs.
    """
    names = a.name, b.name
    if unlike := _unlike(a.program.inputs, b.program.inputs):
        raise ShapeError(
            f"{names[0]} and {names[1]} are related on the same inputs, but the former takes "
            f"{unlike[0]}, the latter {unlike[1]}. Give arrays as examples, which say the dtype too"
        )
    if unlike := _unlike(a.program.outputs, b.program.outputs, dtypes=False):
        shown = f"{names[0]} gives {unlike[0]}, {names[1]} gives {unlike[1]}"
        return Relation("different", Evidence(None, None), shown, names)
    there = inclusion(a, b)
    back = reverse(there, a, b)
    verdict = _VERDICTS.get((there.holds, back.holds), "unknown")
    evidence = Evidence(there.evidence, back.evidence)
    return Relation(verdict, evidence, _shown(verdict, there, back), names)


def _shown(verdict: Verdict, there: Inclusion, back: Inclusion) -> str:
    mapping = there.evidence
    alike = verdict == "same" and isinstance(mapping, WeightMapping) and mapping.alike
    return "; and ".join([there.words] if alike else dict.fromkeys((there.words, back.words)))


def _unlike(ours: tuple[Port, ...], theirs: tuple[Port, ...], *, dtypes: bool = True) -> list[str]:
    """Return two lists of ports in words where they differ, else nothing."""
    # The batch axis, of one row in programs of layers, is left out of words.
    start = int(all(len(port.shape) > 1 for port in (*ours, *theirs)))
    words = [
        ", ".join(
            f"{tuple(port.shape[start:])} {np.dtype(port.dtype).name if dtypes else ''}".strip()
            for port in ports
        )
        or "nothing"
        for ports in (ours, theirs)
    ]
    return words if words[0] != words[1] else []
