"""`everystep predict`: the labels of a file or of a pipe, in the format in which it came."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from everystep.cli.options import CorpusReader, TaggerFile

if TYPE_CHECKING:
    from everystep.corpora.readers import Reader
    from everystep.corpora.sentences import Sentence

MOST_AT_ONCE = 1024
"""How many sentences are labelled together where they come faster than they are labelled."""


def predict(
    model: TaggerFile,
    data: Annotated[
        str, typer.Argument(metavar="[FILE]", help="What to label; - or nothing reads a pipe.")
    ] = "-",
    reader: CorpusReader = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a sentence, instead of its format.")
    ] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Say how probable each label is.")
    ] = False,
) -> None:
    """Label sentences, and write them as they came, each as soon as it is labelled.

    Memory does not grow with the input, and a pipe that is fed line by line is answered line by
    line.
    """
    from everystep.cli.corpus_files import as_they_come, reader_of
    from everystep.tagging import Tagger

    tagger = Tagger.load(model)
    chosen = reader_of(data, reader, None, tagger.record.get("data"))
    for sentences in as_they_come(chosen.read(data), MOST_AT_ONCE):
        said = tagger.predict(sentences)
        shares = tagger.probabilities(sentences) if probabilities else [None] * len(said)
        for sentence, labels, share in zip(sentences, said, shares, strict=True):
            of_labels = None if share is None else _of(labels, share, tagger.labels)
            sys.stdout.write(_written(chosen, sentence, labels, of_labels, as_json))
        sys.stdout.flush()


def _of(labels: Sequence[str], shares: Any, known: tuple[str, ...]) -> list[float]:
    """Return the probability of each label that was given."""
    return [float(row[known.index(label)]) for row, label in zip(shares, labels, strict=True)]


def _written(
    reader: Reader,
    sentence: Sentence,
    labels: Sequence[str],
    probabilities: Sequence[float] | None,
    as_json: bool,
) -> str:
    if not as_json:
        return reader.write(sentence, labels, probabilities)
    if not sentence.tokens:
        return ""
    found: dict[str, Any] = {"tokens": list(sentence.tokens), "labels": list(labels)}
    if probabilities is not None:
        found["probabilities"] = [round(each, 6) for each in probabilities]
    return f"{json.dumps(found, ensure_ascii=False)}\n"
