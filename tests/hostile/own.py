"""Attacks on our own container, in each of the formats that stand in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from everystep.formats import Contents
from everystep.formats.header import LONGEST_HEADER
from tests.hostile.attack import (
    WARNED,
    Attack,
    always,
    cut,
    flipped,
    resealed,
    set_at,
    with_header,
    with_text,
)
from tests.hostile.formats import OWN

TEXT = {
    "model": "config",
    "checkpoint": "training",
    "tagger": "tagger",
    "signal tagger": "signal_tagger",
}
"""Under which name the metadata of a format hold its text of JSON; weights have none."""


def weight(tensors: Mapping[str, Any]) -> str:
    """Return the name of a weight that has a size."""
    return next(
        name
        for name, each in tensors.items()
        if name not in ("__metadata__", "scale", "vocabularies")
        and (each["shape"] if isinstance(each, dict) else each.shape)
        and not name.startswith("callbacks")
    )


def entry(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    """Change what the header says of one array."""

    def change(header: dict[str, Any]) -> Any:
        header[weight(header)] |= fields
        return header

    return change


def moved(by: int) -> Callable[[dict[str, Any]], Any]:
    """Move the array that stands last."""

    def change(header: dict[str, Any]) -> Any:
        arrays = [each for name, each in header.items() if name != "__metadata__"]
        last = max(arrays, key=lambda each: each["data_offsets"])
        last["data_offsets"] = [place + by for place in last["data_offsets"]]
        return header

    return change


def called(name: str) -> Callable[[dict[str, Any]], Any]:
    def change(header: dict[str, Any]) -> Any:
        header[name] = header.pop(weight(header))
        return header

    return change


def twice(header: dict[str, Any]) -> bytes:
    first = json.dumps({"__metadata__": header["__metadata__"]})[:-1]
    name = weight(header)
    same = json.dumps({name: header[name]})[1:-1]
    return f"{first}, {same}, {same}}}".encode()


def turned(contents: Contents) -> None:
    """Give a weight another shape of as many numbers."""
    name = weight(contents.tensors)
    contents.tensors[name] = contents.tensors[name].reshape(1, 1, -1)


def other_kind(contents: Contents) -> None:
    name = weight(contents.tensors)
    contents.tensors[name] = contents.tensors[name].astype("int32")


def broken(value: float) -> Callable[[Contents], None]:
    def change(contents: Contents) -> None:
        name = weight(contents.tensors)
        contents.tensors[name] = contents.tensors[name].copy()
        contents.tensors[name].flat[0] = value

    return change


def without(contents: Contents) -> None:
    del contents.tensors[weight(contents.tensors)]


def further(contents: Contents) -> None:
    contents.tensors["further/kernel"] = np.zeros(3, "float32")


def renamed(name: str) -> Callable[[Contents], None]:
    """Give a weight a name that is allowed, but made to take its reader long."""

    def change(contents: Contents) -> None:
        contents.tensors[name] = contents.tensors.pop(weight(contents.tensors))

    return change


def over_the_cap(good: bytes) -> bytes:
    length = LONGEST_HEADER + 1
    return length.to_bytes(8, "little") + bytes(length + 8)


def padded(length: int) -> Callable[[bytes], bytes]:
    return lambda good: length.to_bytes(8, "little") + good[8:]


PICKLE = (
    b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R."
)
OBJECTS = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117)
) + b"\n\x80\x04."

CONTAINER: list[tuple[int, str, Callable[[bytes], bytes], str]] = [
    *[(1, f"{part} of it", cut(part), "") for part in (0, 7, 8, 0.5, 0.99)],
    (2, "the last byte", flipped(-1), "sha256"),
    *[
        (3, f"{length}", padded(length), "header")
        for length in (2**63, 2**64 - 1, 10**9, LONGEST_HEADER)
    ],
    (3, "over the cap", over_the_cap, "longer than"),
    (4, "overlap", with_header(moved(-1)), "overlaps"),
    (4, "hole", with_header(moved(1)), "hole"),
    (4, "trailing bytes", lambda good: good + b"\0", "no array"),
    (5, "overflow", with_header(entry(shape=[2**32, 2**32])), "shape"),
    (5, "overflow beside 0", with_header(entry(shape=[0, 2**40, 2**40])), "shape"),
    (5, "negative", with_header(entry(shape=[-1])), "shape"),
    (5, "another shape", resealed(turned), "(1, 1,"),
    (6, "an array", with_header(twice), "twice"),
    (7, "object", with_header(entry(dtype="O")), "dtype"),
    (7, "unknown", with_header(entry(dtype="F12")), "dtype"),
    (7, "another kind", resealed(other_kind), "int32"),
    (8, "lists", with_header(lambda h: b"[" * 10**5 + b"]" * 10**5), "deep"),
    (8, "tables", with_header(lambda h: b'{"a":' * 10**5 + b"1" + b"}" * 10**5), "deep"),
    (8, "integer", with_header(lambda h: b'{"a":' + b"9" * 10**5 + b"}"), "digits"),
    (8, "number of a layer", with_header(called("dense_" + "9" * 5000 + "/kernel")), "longer"),
    (8, "large number of a layer", resealed(renamed("dense_" + "9" * 999 + "/kernel")), ""),
    (9, "in the header", with_header(lambda h: b'{"\xff\xfe": {}}'), "UTF-8"),
    (9, "half a pair", with_header(called("a\ud800")), "name"),
    *[
        (10, repr(name), with_header(called(name)), "name")
        for name in ("../a", "a/../b", "/etc/passwd", "C:a", "a\0", "a\\b", "")
    ],
    (10, "without end", with_header(called("a/" * 10**5 + "a")), "name"),
    (14, "pickle", always(PICKLE), "pickle"),
    (14, "objects", always(OBJECTS), "NumPy"),
    (
        17,
        "the container",
        with_header(set_at("__metadata__", "everystep_format", value="2")),
        "newer",
    ),
    (18, "missing", resealed(without), ""),
    (18, "extra", resealed(further), ""),
]

CHOSEN = {
    "a class": {"class_name": "Popen", "module": "subprocess", "config": {"args": ["ls"]}},
    "a path": "/etc/passwd",
    "an address": "http://127.0.0.1:9/model",
}
"""What a configuration would like to be taken for what it names."""


def own_attacks() -> Iterator[Attack]:
    """All attacks on files of ours but for configurations of models and records of trainings."""
    for name in OWN:
        for case, what, make, says in CONTAINER:
            yield Attack(case, name, what, make, says)
        for value in (np.nan, np.inf):
            yield Attack(19, name, f"{value}", resealed(broken(value)), "NaN or infinite", WARNED)
    for name, key in TEXT.items():
        yield from _on_text(name, key)
    for name in ("tagger", "signal tagger"):
        yield from _on_settings(name)


def _on_text(name: str, key: str) -> Iterator[Attack]:
    deep = '{"a":' * 10**5 + "1" + "}" * 10**5
    yield Attack(6, name, "in its text", with_text(key, lambda text: '{"a": 1, "a": 1}'), "twice")
    yield Attack(8, name, "its text", with_text(key, lambda text: deep), "deep")
    digits = '{"version": ' + "9" * 10**4 + "}"
    yield Attack(8, name, "integer in its text", with_text(key, lambda text: digits), "digits")


def _on_settings(name: str) -> Iterator[Attack]:
    key = TEXT[name]
    word = {"tagger": "encoder", "signal tagger": "cell"}[name]
    kind = CHOSEN["a class"]
    yield Attack(15, name, "a class", with_text(key, set_at("settings", word, value=kind)), word)
    yield Attack(
        15, name, "a name", with_text(key, set_at("settings", word, value="os.system")), word
    )
    for case, field, value in (
        (15, "plugin", "os.system"),
        (16, "vectors", CHOSEN["a path"]),
        (16, "url", CHOSEN["an address"]),
    ):
        made = with_text(key, set_at("settings", field, value=value))
        yield Attack(case, name, f"a setting {field}", made, field)
    yield Attack(17, name, "its text", with_text(key, set_at("version", value=9)), "newer")
    if name == "signal tagger":
        made = with_text(key, set_at("settings", "names", value=[[[]]]))
        yield Attack(0, name, "lists for names", made, "names")
