"""The part of the page that shows unseen source, as both models label it."""

from __future__ import annotations

from everystep.drawing.looks import FAMILIES, look_of
from everystep.drawing.marks import Mark, mark
from everystep.drawing.report import Sample
from everystep.drawing.source import Line, Piece, lines_of, mistakes, pointing, said

MODELS = {"forward": "LSTM, reads forward", "bidirectional": "LSTM, reads both ways"}


def source_section(samples: list[Sample]) -> Mark:
    """Draw samples of unseen source, each as both models label it."""
    return mark(
        "section",
        mark("h2", "Source that no model has seen"),
        mark(
            "p",
            "Each token has the look of the label that a model gives it. ",
            "Wrong labels are underlined and named. The functions are chosen to show mistakes: "
            "most have fewer.",
        ),
        _legend(),
        [_both(sample) for sample in samples[:1]],
        [
            mark("details", mark("summary", f"{each['path']}, line {each['line']}"), _both(each))
            for each in samples[1:]
        ],
        id="source",
    )


def _legend() -> Mark:
    names = {"given": "built-in, type", "import": "module, import", "literal": "number, string"}
    return mark(
        "p",
        [
            mark("span", names.get(family.name, family.name), class_=f"token {family.name}")
            for family in FAMILIES
        ],
        class_="legend",
    )


def _both(sample: Sample) -> Mark:
    return mark("div", [_labelled(sample, model) for model in MODELS], class_="pair")


def _labelled(sample: Sample, model: str) -> Mark:
    wrong = len(mistakes(sample, model))
    return mark(
        "figure",
        mark(
            "figcaption",
            mark("b", MODELS[model]),
            f" {wrong} of {len(sample['tokens'])} labels wrong",
            mark("span", f"{sample['path']}:{sample['line']}", class_="where"),
        ),
        mark("pre", [_line(line, model) for line in lines_of(sample)], tabindex=0),
        class_=model,
    )


def _line(line: Line, model: str) -> Mark:
    pieces = [_piece(piece, model) for piece in line.pieces]
    return mark(
        "span",
        mark("span", f"{line.number:4} ", class_="number"),
        pieces,
        "\n",
        [_note(piece, model) for piece in line.pieces if _is_wrong(piece, model)],
        class_="line",
    )


def _is_wrong(piece: Piece, model: str) -> bool:
    token = piece.token
    return token is not None and piece.first and said(token, model) != token["role"]


def _piece(piece: Piece, model: str) -> Mark | str:
    token = piece.token
    if token is None:
        return piece.text
    label = said(token, model)
    look = look_of(label).name
    if label == token["role"]:
        return mark("span", piece.text, class_=f"token {look}", data_tip=label)
    return mark(
        "span",
        piece.text,
        class_=f"token {look} wrong",
        data_tip=f"says {label}, is {token['role']}",
        tabindex=0,
        role="note",
        aria_label=f"{piece.text}: says {label}, is {token['role']}",
    )


def _note(piece: Piece, model: str) -> Mark | None:
    if piece.token is None:
        return None
    words = f"says {said(piece.token, model)}, is {piece.token['role']}"
    return mark("span", f"     {pointing(piece, words, '↑')}\n", class_="note")
