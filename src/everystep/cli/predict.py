"""`everystep predict`: the labels of a file or of a pipe, in the format in which it came."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from everystep.cli.options import Cache, CorpusReader, TaggerFile

if TYPE_CHECKING:
    from everystep.corpora.readers import Reader
    from everystep.corpora.sentences import Sentence
    from everystep.tagging import Tagger

MOST_AT_ONCE = 1024
"""How many sentences are labelled together where they come faster than they are labelled."""


def predict(
    model: TaggerFile,
    data: Annotated[
        str, typer.Argument(metavar="[FILE]", help="What to label; - or nothing reads a pipe.")
    ] = "-",
    reader: CorpusReader = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON object a sentence, a signal or a line of csv, not its format."
        ),
    ] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Say how probable each label is.")
    ] = False,
    cache: Cache = True,
) -> None:
    """Label sentences or signals, and write them as they came, each as soon as it is labelled.

    Memory does not grow with the input, and a pipe that is fed line by line is answered line by
    line.
    """
    from everystep.cli.compiled import keep_compiled
    from everystep.cli.corpus_files import as_they_come, reader_of
    from everystep.cli.predict_signals import predict_signals
    from everystep.cli.tagger_files import load_tagger
    from everystep.tagging import SignalTagger

    if cache:
        keep_compiled()
    tagger = load_tagger(model)
    if isinstance(tagger, SignalTagger):
        predict_signals(tagger, data, reader, as_json, probabilities)
        return
    said = partial(_with_probabilities if probabilities else _labels, tagger)
    chosen = reader_of(data, reader, None, tagger.record.get("data"), tagger.labels)
    for sentences in as_they_come(chosen.read(data), MOST_AT_ONCE):
        for sentence, (labels, shares) in zip(sentences, said(sentences), strict=True):
            sys.stdout.write(_written(chosen, sentence, labels, shares, as_json))
        sys.stdout.flush()


def _labels(tagger: Tagger, sentences: Sequence[Sentence]) -> Iterator[tuple[list[str], None]]:
    return ((labels, None) for labels in tagger.predict_stream(sentences))


def _with_probabilities(
    tagger: Tagger, sentences: Sequence[Sentence]
) -> Iterator[tuple[list[str], list[float]]]:
    """Yield the labels of each sentence, and the probability of each."""
    numbers = {label: number for number, label in enumerate(tagger.labels)}
    for labels, likely in tagger.likely_stream(sentences):
        chosen = [numbers[label] for label in labels]
        yield labels, likely[range(len(chosen)), chosen].tolist()


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
