"""Windows that are joined, and signals that have no end, against the whole signal read at once."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import everystep as es
from everystep.errors import DataError
from everystep.tagging import SignalSettings
from everystep.tagging.signals.features import Scale
from everystep.tagging.signals.model import SignalModel, likely
from tests.tagging.signals.pulses import SMALL

SCALE = Scale(np.array([2.0, -1.0]), np.array([0.5, 3.0]))
DRAWN = np.random.default_rng(3).normal(size=(400, 2))


def made(**other: Any) -> SignalModel:
    """Return a model that nobody has trained: its first weights are as good as any."""
    return SignalModel(SignalSettings.from_dict({**SMALL, **other}), SCALE, ("rest", "low", "high"))


@pytest.fixture(scope="module")
def models() -> dict[str, SignalModel]:
    return {direction: made(direction=direction) for direction in ("both", "forward")}


def whole(model: SignalModel, steps: int) -> Any:
    """What the network gives when it reads all steps at once, scaled and folded by hand."""
    values = np.concatenate([DRAWN[:steps], *[DRAWN[steps - 1 : steps]] * (steps % 2)])
    scaled = (values - [2.0, -1.0]) / [0.5, 3.0]
    rows = scaled.reshape(1, -1, 4).astype("float32")
    return np.asarray(model.network(rows)).reshape(-1, 3)[:steps]


def test_windows_are_joined_without_a_seam_where_they_overlap_by_what_a_step_reads() -> None:
    """Two convolutions of three read two folded steps on each side: four, of 8 steps, do."""
    for overlap, seamless in ((8, True), (4, False)):
        model = made(convolutions=2, layers=0, window=40, overlap=overlap)
        for steps in (39, 211):
            [found] = model.scores([DRAWN[:steps]])
            assert found.shape == (steps, 3)
            same = np.allclose(found, whole(model, steps), atol=1e-5)
            assert same == (seamless or steps < 40)


def test_forward_reads_the_whole_signal(models: dict[str, SignalModel]) -> None:
    lengths = [7, 90, 0, 1, 64]
    found = list(models["forward"].scores(DRAWN[:length] for length in lengths))
    assert [each.shape for each in found] == [(length, 3) for length in lengths]
    for scores, length in zip(found, lengths, strict=True):
        if length:
            np.testing.assert_allclose(scores, whole(models["forward"], length), atol=1e-5)


@pytest.mark.parametrize("direction", ["both", "forward"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_comes_in_chunks_is_labelled_as_the_whole(
    models: dict[str, SignalModel], direction: str, data: st.DataObject
) -> None:
    steps = data.draw(st.integers(0, 300))
    sizes = data.draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, 8, 50]), min_size=1, max_size=12))
    tagger = es.SignalTagger(models[direction], {})
    live, come, given = tagger.live(), 0, 0
    found: list[Any] = []
    while come < steps:
        for size in [*sizes, 1]:
            chunk = DRAWN[come : min(come + size, steps)]
            found.append(live.push(chunk))
            come, given = come + len(chunk), given + len(found[-1])
            assert come - given <= live.delay
    found.append(live.finish())
    [wanted] = models[direction].scores([DRAWN[:steps]])
    np.testing.assert_allclose(likely(np.concatenate(found)), likely(wanted), atol=1e-5)


@pytest.mark.parametrize("direction", ["both", "forward"])
def test_an_endless_signal_is_read_no_further_than_it_is_labelled(
    models: dict[str, SignalModel], direction: str
) -> None:
    read = 0

    def endless() -> Iterator[Any]:
        nonlocal read
        while True:
            read += 10
            yield DRAWN[:10]

    tagger = es.SignalTagger(models[direction], {})
    labelled = 0
    for labels in islice(tagger.predict_stream(endless()), 30):
        labelled += len(labels)
        assert 0 <= read - labelled <= tagger.live().delay + 10
    for wrong, message in (
        (np.ones((4, 3)), "what came after 3 steps: expected 2 channels, got 3"),
        (np.ones((4, 1)), "expected 2 channels, got 1"),
        (np.full((1, 2), np.inf), "expected finite numbers, got inf at step 0 of channel 0"),
    ):
        with pytest.raises(DataError, match=message):
            list(tagger.predict_stream([DRAWN[:3], wrong]))


def test_what_is_kept_of_an_endless_signal_does_not_grow(models: dict[str, SignalModel]) -> None:
    live = es.SignalTagger(models["both"], {}).live()
    sizes = []
    for _ in range(60):
        live.push(DRAWN[:7])
        sizes.append(
            sum(each.size for each in vars(live._reader).values() if hasattr(each, "size"))
        )
    assert max(sizes[30:]) <= max(sizes[:30])


def test_probabilities_add_up_to_1_whatever_the_scores() -> None:
    shares = likely(np.array([[1e4, 0.0, -1e4], [0.0, np.log(2.0), np.log(5.0)]]))
    assert shares.tolist() == [[1, 0, 0], pytest.approx([0.125, 0.25, 0.625])]
