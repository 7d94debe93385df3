"""What labelling without a model achieves: the figures that a model has to beat."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from everystep.errors import DataError
from everystep.kinds import EACH, WORDS, checked, instance_of


@dataclass(frozen=True, slots=True)
class MajorityBaseline:
    """Labels that follow from nothing but counting.

    Args:
        overall: the most frequent label.
        by_symbol: the most frequent label of each symbol.
        unseen: the label for other symbols: the most frequent one of symbols seen only once,
            since a symbol never seen is most like those.

    >>> found = majority_baseline([["a", "b", "a"]], [["x", "y", "x"]])
    >>> found.overall, found.label(["b", "a", "c"])
    ('x', ['y', 'x', 'y'])
    """

    overall: str
    by_symbol: dict[str, str]
    unseen: str

    @checked(symbols=WORDS)
    def label(self, symbols: Iterable[str]) -> list[str]:
        """Give each symbol its most frequent label.

        Args:
            symbols: the symbols of one sequence.

        Returns:
            As many labels.
        """
        return [self.by_symbol.get(symbol, self.unseen) for symbol in symbols]


@dataclass(frozen=True, slots=True)
class BaselineScore:
    """How well a baseline does, each a share of all steps from 0 to 1.

    Args:
        overall: accuracy of giving every step the most frequent label.
        by_symbol: accuracy of giving every symbol its most frequent label.
    """

    overall: float
    by_symbol: float


_BASELINE = instance_of("a MajorityBaseline", MajorityBaseline)


@checked(symbols=EACH, labels=EACH)
def majority_baseline(
    symbols: Iterable[Sequence[str]], labels: Iterable[Sequence[str]]
) -> MajorityBaseline:
    """Count which labels are most frequent in sequences to learn from.

    Ties go to the label that comes first in the alphabet.

    Args:
        symbols: the symbols of each sequence.
        labels: the labels of each sequence.

    Returns:
        The baseline.

    Raises:
        DataError: there is no step, or a sequence has more labels or fewer than symbols.

    >>> majority_baseline([["a", "a", "b"]], [["x", "y", "y"]]).by_symbol
    {'a': 'x', 'b': 'y'}
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one, its_labels in _pairs(symbols, labels):
        for symbol, label in zip(one, its_labels, strict=True):
            counts[symbol][label] += 1
    if not counts:
        raise DataError("a baseline needs at least 1 step to count, got none")
    by_symbol = {symbol: _most_frequent(found) for symbol, found in counts.items()}
    overall = _most_frequent(_sum(counts.values()))
    once = _sum(found for found in counts.values() if found.total() == 1)
    return MajorityBaseline(overall, by_symbol, _most_frequent(once) if once else overall)


@checked(baseline=_BASELINE, symbols=EACH, labels=EACH)
def score_baseline(
    baseline: MajorityBaseline, symbols: Iterable[Sequence[str]], labels: Iterable[Sequence[str]]
) -> BaselineScore:
    """Measure a baseline on sequences that it has not seen.

    Args:
        baseline: what `majority_baseline` found on other sequences.
        symbols: the symbols of each sequence.
        labels: the labels of each sequence.

    Returns:
        The accuracies.

    Raises:
        DataError: there is no step, or a sequence has more labels or fewer than symbols.

    >>> found = majority_baseline([["a", "b", "a"]], [["x", "y", "x"]])
    >>> score_baseline(found, [["a", "b"]], [["x", "y"]])
    BaselineScore(overall=0.5, by_symbol=1.0)
    """
    steps = overall = by_symbol = 0
    for one, wanted in _pairs(symbols, labels):
        steps += len(wanted)
        overall += sum(label == baseline.overall for label in wanted)
        by_symbol += sum(map(str.__eq__, baseline.label(one), wanted))
    if not steps:
        raise DataError("a score needs at least 1 step, got none")
    return BaselineScore(overall / steps, by_symbol / steps)


def _pairs(
    symbols: Iterable[Sequence[str]], labels: Iterable[Sequence[str]]
) -> Iterable[tuple[Sequence[str], Sequence[str]]]:
    every, every_label = list(symbols), list(labels)
    if list(map(len, every)) != list(map(len, every_label)):
        raise DataError("expected one label a symbol, got sequences of other lengths")
    return zip(every, every_label, strict=True)


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _most_frequent(counts: Counter[str]) -> str:
    return min(counts, key=lambda label: (-counts[label], label))
