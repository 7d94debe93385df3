"""The container of all taggers: safetensors with a checksum, as a model's, and checked text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from everystep.core.loading import placeholders
from everystep.core.randomness import undisturbed
from everystep.errors import EverystepError, FormatError
from everystep.formats import (
    OWN_MODEL,
    parse_json,
    place_to_write,
    read_tensors,
    suffix_of,
    write_json,
    write_tensors,
)
from everystep.models import Model
from everystep.models.matching import matched, places_of
from everystep.models.rebuilding import set_weights, values_of

Arrays = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Form:
    """What the file of one kind of tagger holds besides the weights of its network.

    Args:
        key: the name of its text in the file.
        what: the kind, in words.
        loader: what reads it, in words.
        version: the version that is written, and the newest that is read.
        texts: what stands in the text, each with whether a value is right.
        arrays: the names of arrays that are no weights.
    """

    key: str
    what: str
    loader: str
    version: int
    texts: Mapping[str, Callable[[Any], bool]]
    arrays: tuple[str, ...]


def write_tagger_file(
    path: str | PathLike[str],
    form: Form,
    text: Mapping[str, Any],
    arrays: Arrays,
    network: Model,
) -> None:
    """Write a tagger of one kind.

    Raises:
        FormatError: the name does not end with `.everystep`.
        OSError: it cannot be written; a file that was there is kept.
    """
    suffix_of(path, (OWN_MODEL,))
    tensors = values_of(places_of(network)) | dict(arrays)
    metadata = {form.key: write_json({"version": form.version, **text})}
    write_tensors(place_to_write(path, overwrite=True), tensors, metadata)


class TaggerFile:
    """A tagger of one kind as a file holds it, its text checked.

    Args:
        path: the file.
        form: the kind that is wanted.

    Raises:
        FormatError: the file is damaged, hostile, newer, or holds something else.
        OSError: it cannot be read.
    """

    def __init__(self, path: str | PathLike[str], form: Form) -> None:
        self.where, self._form = os.fspath(path), form
        contents = read_tensors(path)
        self._weights = dict(contents.tensors)
        if form.key not in contents.metadata or not set(form.arrays) <= self._weights.keys():
            raise FormatError(
                f"{self.where}: the file holds no {form.what}; everystep.load_model reads models, "
                f"and {form.loader}.save writes {form.what}s"
            )
        text = parse_json(contents.metadata[form.key], f"{self.where}: {form.key}")
        self.text = self._checked(text)
        self.arrays = {name: self._weights.pop(name) for name in form.arrays}

    def _checked(self, text: Any) -> dict[str, Any]:
        """Return the text, if it has the form that this version writes."""
        form, where = self._form, self.where
        version = text.get("version") if isinstance(text, dict) else None
        if type(version) is int and version > form.version:
            raise FormatError(
                f"{where}: the {form.what} has version {version}, but this everystep reads up to "
                f"{form.version}: install a newer everystep"
            )
        if version != form.version or set(text) != {"version", *form.texts}:
            raise FormatError(f"{where}: {form.key} is not text that everystep writes")
        for name, is_right in form.texts.items():
            if not is_right(text[name]):
                raise FormatError(f"{where}: {form.key}, {name} is {text[name]!r:.80}")
        found: dict[str, Any] = text
        return found

    @contextmanager
    def building(self) -> Iterator[None]:
        """Build the network in here: with no more weights than the file has values for."""
        try:
            with undisturbed(), placeholders(sum(each.size for each in self._weights.values())):
                yield
        except EverystepError as error:
            raise FormatError(f"{self.where}: {error}") from error

    def fill(self, network: Model) -> None:
        """Set the weights of a network to those of the file.

        Raises:
            FormatError: they are not its own.
        """
        variables = places_of(network)
        set_weights(variables, matched(variables, self._weights, self.where), self.where)
