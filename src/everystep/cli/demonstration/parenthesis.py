"""Why reading backward too helps: what follows a name often decides its role.

Everything here is counted in what the two models say on the test files.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from everystep.cli.demonstration import training
from everystep.cli.demonstration.corpus import Data, Ids
from everystep.cli.demonstration.settings import Settings
from everystep.cli.demonstration.training import Trained
from everystep.corpora import SourceSequence, Vocabulary
from everystep.drawing.report import Call, Confusion, Parenthesis, Swap

Array = np.ndarray[Any, Any]

CALLED: Final = ("function called", "method called")

_MOST_EXAMPLES = 6
_MOST_CONFUSIONS = 8


@dataclass(frozen=True)
class _Place:
    """A called name, by the number of its sequence and step in the test files."""

    sequence: int
    step: int


def explain(trained: dict[str, Trained], data: Data, settings: Settings) -> Parenthesis:
    """Count and collect the steps where the model that also reads backward is right alone.

    Args:
        trained: the forward and the bidirectional model.
        data: the corpus.
        settings: the batch size for further predictions.

    Returns:
        Counts, examples, and what happens when the parenthesis is taken away.
    """
    said = {name: one.said for name, one in trained.items()}
    true = data.pairs(data.corpus.test)[1]
    calls = _calls(data)
    missed = [place for place in calls if _at(said["forward"], place, data) not in CALLED]
    mended = [p for p in missed if _at(said["bidirectional"], p, data) == _at(true, p, data)]
    # One call of a sequence is changed, so that nothing before it is: one that was mended, if any.
    chosen = {place.sequence: place for place in reversed([*mended, *calls])}
    swapped = _swapped_outputs(trained, data, chosen, settings)
    swapped_said = {name: training.labels(outputs) for name, outputs in swapped.items()}
    right = {name: np.concatenate(ids) == np.concatenate(true) for name, ids in said.items()}
    is_mended = set(mended)
    return Parenthesis(
        calls=len(calls),
        missed=len(missed),
        mended=len(mended),
        gained=int((right["bidirectional"] & ~right["forward"]).sum()),
        lost=int((right["forward"] & ~right["bidirectional"]).sum()),
        examples=_varied(
            _call(p, said, swapped_said, data) for p in chosen.values() if p in is_mended
        ),
        swap=_swap(list(chosen.values()), trained, swapped),
        confusions=_confusions(said, data),
    )


def _calls(data: Data) -> list[_Place]:
    return [
        _Place(number, step)
        for number, sequence in enumerate(data.test)
        for step, role in enumerate(sequence.roles[:-1])
        if role in CALLED and sequence.symbols[step + 1] == "("
    ]


def _at(labels: Ids, place: _Place, data: Data) -> str:
    return data.roles.entries[int(labels[place.sequence][place.step])]


def _swapped_outputs(
    trained: dict[str, Trained], data: Data, chosen: dict[int, _Place], settings: Settings
) -> dict[str, Ids]:
    """Let both models read the test sequences with one parenthesis in each made a comma."""
    ids, _ = data.pairs(data.corpus.test)
    comma = data.tokens.encode([","])[0]
    for place in chosen.values():
        ids[place.sequence][place.step + 1] = comma
    return {name: training.outputs(one.model, ids, settings) for name, one in trained.items()}


def _swap(places: list[_Place], trained: dict[str, Trained], swapped: dict[str, Ids]) -> Swap:
    """Compare outputs at called names with the parenthesis after them and without it."""

    def at_calls(outputs: dict[str, Ids], name: str) -> Array:
        return np.array([outputs[name][place.sequence][place.step] for place in places])

    plain = {name: one.outputs for name, one in trained.items()}
    before = {name: at_calls(plain, name) for name in trained}
    after = {name: at_calls(swapped, name) for name in trained}
    changed = {
        name: int((before[name].argmax(-1) != after[name].argmax(-1)).sum()) if places else 0
        for name in trained
    }
    return Swap(
        tried=len(places),
        forward_changed=changed["forward"],
        bidirectional_changed=changed["bidirectional"],
        forward_difference=float(np.abs(before["forward"] - after["forward"]).max(initial=0.0)),
    )


def _call(place: _Place, said: dict[str, Ids], swapped: dict[str, Ids], data: Data) -> Call:
    sequence = data.test[place.sequence]
    before, text, after = _on_its_line(sequence, place.step)
    return Call(
        path=sequence.path,
        line=_line(sequence, place.step),
        before=before,
        text=text,
        after=after,
        role=sequence.roles[place.step],
        forward=_at(said["forward"], place, data),
        bidirectional=_at(said["bidirectional"], place, data),
        swapped_forward=_at(swapped["forward"], place, data),
        swapped_bidirectional=_at(swapped["bidirectional"], place, data),
    )


def _varied(calls: Iterable[Call]) -> list[Call]:
    """Choose calls by different names, of functions and of methods, on lines easy to look at."""
    by_role: defaultdict[str, dict[str, Call]] = defaultdict(dict)
    for call in sorted(calls, key=_distance_from_handy):
        if len(call["before"]) >= 8:
            by_role[call["role"]].setdefault(call["text"], call)
    most = _MOST_EXAMPLES // max(1, len(by_role))
    return [call for named in by_role.values() for call in list(named.values())[:most]]


def _distance_from_handy(call: Call) -> int:
    return abs(len(call["before"]) - 16) + abs(len(call["after"]) - 10)


def _on_its_line(sequence: SourceSequence, step: int) -> tuple[str, str, str]:
    """Return what stands on the line of a step before it, the step, and what stands after it."""
    start = sequence.offsets[step]
    end = start + len(sequence.texts[step])
    line_start = sequence.source.rfind("\n", 0, start) + 1
    line_end = sequence.source.find("\n", end)
    after = sequence.source[end : line_end if line_end >= 0 else None]
    return sequence.source[line_start:start].lstrip(), sequence.texts[step], after.rstrip()


def _line(sequence: SourceSequence, step: int) -> int:
    return sequence.source.count("\n", 0, sequence.offsets[step]) + 1


def _confusions(said: dict[str, Ids], data: Data) -> list[Confusion]:
    """Collect the mistakes that the forward model makes most, whatever they are about."""
    roles: Vocabulary = data.roles
    following: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    both: Counter[tuple[str, str]] = Counter()
    for number, sequence in enumerate(data.test):
        answers = zip(
            sequence.roles,
            roles.decode(said["forward"][number]),
            roles.decode(said["bidirectional"][number]),
            [*sequence.symbols[1:], "end"],
            strict=True,
        )
        for role, forward, bidirectional, following_symbol in answers:
            if forward != role:
                following[role, forward][following_symbol] += 1
            both[role, bidirectional] += 1
    worst = sorted(following, key=lambda pair: -following[pair].total())[:_MOST_CONFUSIONS]
    return [_confusion(pair, following[pair], both[pair]) for pair in worst]


def _confusion(pair: tuple[str, str], following: Counter[str], bidirectional: int) -> Confusion:
    symbol, times = following.most_common(1)[0]
    return Confusion(
        role=pair[0],
        said=pair[1],
        forward=following.total(),
        bidirectional=bidirectional,
        next=symbol,
        next_share=times / following.total(),
    )
