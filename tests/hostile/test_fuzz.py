"""Random damage that keeps to the forms of the formats: a file is read, or refused in our words.

`make fuzz` does so for long, guided by what has run; what it has found stands in `findings.py`.
"""

from __future__ import annotations

import base64
import copy
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from everystep.errors import EverystepError
from everystep.formats import Contents
from tests.hostile.attack import resealed, with_header
from tests.hostile.findings import FINDINGS
from tests.hostile.formats import FORMATS, OWN, SIGNALS_FILE, in_training
from tests.hostile.guarded import OF_A_MODEL, digest
from tests.hostile.own import TEXT
from tests.hostile.sealing import archived_in, members_of, sealed, seeds_and_sealing

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**19, 0.5, 1e300),
    *("", "a\0", "../a", "/etc/passwd", "os.system", "\ud800", "9" * 30, "F32"),
    *([], [[]], [-1], [2**40, 2**40], {}, {"class_name": "Popen"}, {"$array": "weights/a"}),
)
"""What is put in the place of what stands there."""

CHANGES = st.lists(st.tuples(st.integers(0, 999), st.sampled_from(ODD)), min_size=1, max_size=3)
BYTES = st.lists(st.tuples(st.integers(0, 2**15), st.binary(max_size=4)), min_size=1, max_size=4)


CHEAP = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def places_in(data: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Go through nested plain data and yield where something stands."""
    items = enumerate(data) if isinstance(data, list) else data.items()
    for key, value in items:
        yield (*place, key)
        if isinstance(value, list | dict):
            yield from places_in(value, (*place, key))


def changed(data: Any, changes: list[tuple[int, Any]]) -> Any:
    """Put other values into nested plain data."""
    for number, value in changes:
        places = list(places_in(data))
        if not places:
            break
        *around, last = places[number % len(places)]
        inner = data
        for key in around:
            inner = inner[key]
        inner[last] = copy.deepcopy(value)
    return data


def with_text(good: bytes, key: str, changes: list[tuple[int, Any]]) -> bytes:
    def edit(contents: Contents) -> None:
        contents.metadata[key] = json.dumps(changed(json.loads(contents.metadata[key]), changes))

    return resealed(edit)(good)


def with_bytes(good: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    """Put other bytes into a file, or take some out."""
    for number, piece in changes:
        place = number % (len(good) + 1)
        good = good[:place] + piece + good[place + (len(piece) or 3) :]
    return good


def is_read_or_refused(model: Any, name: str, path: Path) -> None:
    """Read a file; only errors of ours may come, with its name, and then nothing has changed."""
    kept = digest(model) if name in OF_A_MODEL else ""
    before = model.training_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            FORMATS[name].read(model, path)
            refusal = None
        except EverystepError as error:
            refusal = str(error)
    if refusal is None:
        model.set_training_state(before)
    else:
        assert path.name in refusal
        assert not kept or digest(model) == kept


@pytest.mark.parametrize("name", OWN)
def test_any_header_and_any_text_of_ours(name: str, good: dict[str, bytes], folder: Path) -> None:
    path = folder / FORMATS[name].file

    def work(model: Any) -> None:
        @CHEAP
        @given(changes=CHANGES, in_text=st.booleans())
        def one(changes: list[tuple[int, Any]], in_text: bool) -> None:
            if in_text and name in TEXT:
                path.write_bytes(with_text(good[name], TEXT[name], changes))
            else:
                made = with_header(lambda header: changed(header, changes))(good[name])
                path.write_bytes(sealed(made))
            is_read_or_refused(model, name, path)

        one()

    in_training(work)


@pytest.mark.parametrize("name", ["keras", "keras weights", "parquet", "arrow", "npy"])
def test_any_bytes_of_others(name: str, good: dict[str, bytes], folder: Path) -> None:
    path = folder / FORMATS[name].file

    def work(model: Any) -> None:
        @CHEAP
        @given(changes=BYTES)
        def one(changes: list[tuple[int, bytes]]) -> None:
            path.write_bytes(with_bytes(good[name], changes))
            is_read_or_refused(model, name, path)

        one()

    in_training(work)


def test_any_configuration_and_any_weights_in_an_archive(
    good: dict[str, bytes], folder: Path
) -> None:
    path = folder / FORMATS["keras"].file
    config, metadata, weights, _ = members_of(good["keras"])
    put = archived_in(good["keras"])

    def work(model: Any) -> None:
        @CHEAP
        @given(changes=CHANGES, number=st.integers(0, 1), bytes_=BYTES)
        def one(changes: Any, number: int, bytes_: Any) -> None:
            text = (config, metadata)[number]
            written = json.dumps(changed(json.loads(text[1:]), changes)).encode()
            for member in (text[:1] + written, weights[:1] + with_bytes(weights[1:], bytes_)):
                path.write_bytes(put(member))
                is_read_or_refused(model, "keras", path)

        one()

    in_training(work)


@pytest.mark.parametrize("number", range(len(FINDINGS)))
def test_what_fuzzing_has_found_stays_mended(
    number: int, good: dict[str, bytes], tmp_path: Path
) -> None:
    name, _, content = FINDINGS[number]
    _, sealing = seeds_and_sealing(name, good[name])
    path = tmp_path / FORMATS[name].file
    path.with_name(SIGNALS_FILE).write_bytes(good["npy"])
    path.write_bytes(sealing(base64.b64decode(content)))
    in_training(lambda model: is_read_or_refused(model, name, path))
