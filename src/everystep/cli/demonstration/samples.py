"""Runs of unseen source to look at, with what both models say at each step."""

from __future__ import annotations

from everystep.cli.demonstration.corpus import Data, Ids
from everystep.corpora import SourceSequence
from everystep.drawing.report import Sample, Token

_STEPS = range(45, 111)
_WIDEST_LINE = 66
_MOST_COMMENTS = 1


def choose_samples(said: dict[str, Ids], data: Data, count: int = 3) -> list[Sample]:
    """Choose functions of the test files that show much: many roles, and mistakes of both models.

    So the samples are worse than the average, on purpose.

    Args:
        said: what the forward and what the bidirectional model say on the test sequences.
        data: the corpus.
        count: how many to choose, each from another file.

    Returns:
        At most so many samples, the best first; fewer where the test files have fewer functions.
    """
    samples = [
        _sample(sequence, {name: data.roles.decode(ids[place]) for name, ids in said.items()})
        for place, sequence in enumerate(data.test)
        if _is_short_function(sequence)
    ]
    chosen: dict[str, Sample] = {}
    for sample in sorted(samples, key=_worth, reverse=True):
        chosen.setdefault(sample["path"], sample)
    return list(chosen.values())[:count]


def _is_short_function(sequence: SourceSequence) -> bool:
    margin = next(sequence.tokens()).column
    lines = sequence.source[sequence.offsets[0] - margin : sequence.offsets[-1]].splitlines()
    return (
        sequence.symbols[0] in ("def", "class", "@", "async")
        and len(sequence) in _STEPS
        and sequence.symbols.count("<comment>") <= _MOST_COMMENTS
        and max(map(len, lines), default=0) - margin <= _WIDEST_LINE
    )


def _worth(sample: Sample) -> tuple[int, int, str]:
    tokens = sample["tokens"]
    missed = {
        name: sum(token[name] != token["role"] for token in tokens)
        for name in ("forward", "bidirectional")
    }
    roles = len({token["role"] for token in tokens})
    # One mistake of the better model is worth seeing; a function full of them misleads.
    shows_mistake = 3 if missed["bidirectional"] == 1 else -2 * missed["bidirectional"]
    return roles + shows_mistake + min(missed["forward"], 5), len(tokens), sample["path"]


def _sample(sequence: SourceSequence, said: dict[str, list[str]]) -> Sample:
    tokens = list(sequence.tokens())
    margin = "\n" + " " * tokens[0].column
    layouts = ["", *(token.before.replace(margin, "\n") for token in tokens[1:])]
    return Sample(
        path=sequence.path,
        line=tokens[0].line,
        tokens=[
            Token(text=token.text, before=before, role=token.role, forward=one, bidirectional=both)
            for token, before, one, both in zip(
                tokens, layouts, said["forward"], said["bidirectional"], strict=True
            )
        ],
    )
