"""The part of the page that shows why the model that also reads backward is better."""

from __future__ import annotations

from everystep.drawing.map_picture import map_picture
from everystep.drawing.marks import Mark, mark
from everystep.drawing.reads import reads_of
from everystep.drawing.report import Call, Confusion, ModelResult, Parenthesis

_MOST_BEFORE, _MOST_AFTER = 30, 14


def parenthesis_section(found: Parenthesis, models: list[ModelResult]) -> Mark:
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
        mark("div", [_map(model) for model in models], class_="pair maps"),
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


def _map(model: ModelResult) -> Mark:
    found = model["explained"]
    exact = all(each["exact"] for each in found["maps"])
    return mark(
        "figure",
        mark(
            "figcaption",
            mark("b", model["title"]),
            f" each step reads {reads_of(found)}",
            "; proven, and seen by changing steps" if exact else None,
        ),
        [map_picture(each) for each in found["maps"]],
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
