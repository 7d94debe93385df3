"""The parts of the page that show unseen source: what both models say, and why one is better."""

from __future__ import annotations

from everystep.drawing.looks import FAMILIES, look_of
from everystep.drawing.marks import Mark, mark
from everystep.drawing.report import Call, Confusion, Parenthesis, Sample
from everystep.drawing.source import Line, Piece, lines_of, mistakes, pointing, said

MODELS = {"forward": "LSTM, reads forward", "bidirectional": "LSTM, reads both ways"}
_MOST_BEFORE, _MOST_AFTER = 30, 14


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


def parenthesis_section(found: Parenthesis) -> Mark:
    """Draw why the model that also reads backward is better, with cases from unseen files."""
    swap = found["swap"]
    return mark(
        "section",
        mark("h2", "Why reading both ways wins"),
        mark(
            "p",
            "A forward LSTM has not read the parenthesis when it must label the name before it. "
            "Of ",
            mark("b", f"{found['calls']:,}"),
            " called names in the test files it takes ",
            mark("b", f"{found['missed']:,}"),
            " for something that is not called. The model that also reads backward has ",
            mark("b", f"{found['mended']:,}"),
            f" of these right. Over all tokens it alone is right {found['gained']:,} times, the "
            f"forward one alone {found['lost']:,} times.",
        ),
        _calls(found["examples"]),
        mark(
            "p",
            mark("b", "The proof: "),
            "make that parenthesis a comma, once in each of ",
            mark("b", f"{swap['tried']:,}"),
            " sequences. The forward model's label of the name before it changes ",
            mark("b", f"{swap['forward_changed']:,} times"),
            f" (largest difference of its outputs: {swap['forward_difference']:g}), the other "
            "model's ",
            mark("b", f"{swap['bidirectional_changed']:,} times"),
            ".",
            class_="proof",
        ),
        _confusions(found["confusions"]),
        id="why",
    )


def _calls(calls: list[Call]) -> Mark | None:
    if not calls:
        return None
    heads = (
        "What the forward model has read",
        "it says",
        "What the other has read",
        "it says",
        "with a comma",
    )
    return mark(
        "div",
        mark(
            "table",
            mark("thead", mark("tr", [mark("th", head, scope="col") for head in heads])),
            mark("tbody", [_call(call) for call in calls]),
            class_="calls",
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label="Calls that the forward model misses",
    )


def _call(call: Call) -> Mark:
    before = call["before"]
    before = before if len(before) <= _MOST_BEFORE else f"…{before[1 - _MOST_BEFORE :]}"
    after = call["after"]
    after = after if len(after) <= _MOST_AFTER else f"{after[: _MOST_AFTER - 1]}…"
    name = mark("b", call["text"])
    where = mark("span", f"{call['path']}:{call['line']}", class_="where")
    hidden = mark("span", after, class_="unread", aria_hidden="true")
    read: list[Mark | str] = [mark("b", after[:1], class_="key"), after[1:]]
    return mark(
        "tr",
        mark("td", mark("code", before, name, hidden), where),
        mark("td", mark("span", "✗ ", call["forward"], class_="no")),
        mark("td", mark("code", before, name, read)),
        mark("td", mark("span", "✓ ", call["bidirectional"], class_="yes")),
        mark("td", call["swapped_bidirectional"], class_="minor"),
    )


def _confusions(confusions: list[Confusion]) -> Mark:
    heads = (
        "It is",
        "the forward model says",
        "times",
        "both ways",
        "what stands next, most often",
    )
    rows = [
        mark(
            "tr",
            mark("td", one["role"]),
            mark("td", one["said"]),
            mark("td", f"{one['forward']:,}", class_="figure"),
            mark("td", f"{one['bidirectional']:,}", class_="figure"),
            mark("td", mark("code", one["next"]), f" {100 * one['next_share']:.0f} %"),
        )
        for one in confusions
    ]
    return mark(
        "details",
        mark("summary", "The forward model's most frequent mistakes"),
        mark(
            "table",
            mark("thead", mark("tr", [mark("th", head, scope="col") for head in heads])),
            mark("tbody", rows),
        ),
        open=True,
    )
