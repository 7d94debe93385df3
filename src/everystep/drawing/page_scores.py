"""The parts of the page that show figures: accuracy, labels, learning curves, corpus, models."""

from __future__ import annotations

from collections.abc import Iterable

from everystep.drawing.charts import Curve, curves_chart, histogram, share_bar
from everystep.drawing.marks import Mark, mark
from everystep.drawing.report import Corpus, Label, ModelResult, Report
from everystep.drawing.words import gain, most_helped, percent

_CURVE_NAMES = {"forward": "forward", "bidirectional": "both ways"}


def table(heads: Iterable[str], rows: Iterable[Mark], label: str) -> Mark:
    """Draw a table that a narrow screen scrolls."""
    return mark(
        "div",
        mark(
            "table",
            mark("thead", mark("tr", [mark("th", head, scope="col") for head in heads])),
            mark("tbody", rows),
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=label,
    )


def headline(report: Report) -> Mark:
    """Draw test accuracy without a model and with both, as bars and large numbers."""
    base = report["corpus"]["baselines"]
    rows = [
        ("plain", f"always say “{base['majority_label']}”", base["majority"], ""),
        ("plain", "each token's most frequent label", base["by_token"], ""),
    ]
    for model in report["models"]:
        speed = f"trained in {model['seconds']:.0f} s, {model['steps_per_second']:,.0f} tokens/s"
        rows.append((model["name"], model["title"], model["accuracy"], speed))
    return mark(
        "div",
        [
            mark(
                "div",
                mark("span", percent(share), class_="number"),
                mark("span", words, mark("small", more), class_="words"),
                share_bar(share, kind),
                class_=f"row {kind}",
            )
            for kind, words, share, more in rows
        ],
        class_="headline",
        role="group",
        aria_label="Accuracy on unseen files",
    )


def labels_section(labels: list[Label]) -> Mark:
    """Draw the accuracy of each label, with bars for both models."""
    helped = ", ".join(f"{label['name']} ({gain(label)})" for label in most_helped(labels))
    heads = ("label", "tokens", "majority", "by token", "", "forward", "both ways", "gain")
    return mark(
        "section",
        mark("h2", "Label by label"),
        mark(
            "p",
            "Of the tokens with each label in unseen files, the share that gets it. Upper bar, "
            "striped: reads forward. Lower bar, full: reads both ways. The tick is the most "
            "frequent label of each token. ",
            f"Reading backward too helps most, in points: {helped}." if helped else None,
        ),
        table(heads, [_label(label) for label in labels], "Accuracy by label"),
        id="labels",
    )


def _label(label: Label) -> Mark:
    return mark(
        "tr",
        mark("th", label["name"], scope="row", title=label["meaning"]),
        mark("td", f"{label['steps']:,}", class_="figure"),
        mark("td", percent(label["majority"]), class_="figure minor"),
        mark("td", percent(label["by_token"]), class_="figure minor"),
        mark(
            "td",
            share_bar(label["forward"], "forward", label["by_token"]),
            share_bar(label["bidirectional"], "bidirectional", label["by_token"]),
            class_="bars-cell",
        ),
        mark("td", percent(label["forward"]), class_="figure"),
        mark("td", percent(label["bidirectional"]), class_="figure"),
        mark("td", gain(label), class_="figure minor"),
    )


def learning_section(models: list[ModelResult]) -> Mark:
    """Draw accuracy and loss over the epochs."""
    accuracy, loss = [], []
    for model in models:
        name, curves = _CURVE_NAMES.get(model["name"], model["name"]), model["curves"]
        accuracy.append(Curve(f"{name}, dev", curves["val_accuracy"], model["name"]))
        accuracy.append(Curve(f"{name}, train", curves["accuracy"], model["name"], dashed=True))
        loss.append(Curve(f"{name}, dev", curves["val_loss"], model["name"]))
        loss.append(Curve(f"{name}, train", curves["loss"], model["name"], dashed=True))
    charts = (
        ("Accuracy after each epoch", curves_chart("Accuracy", accuracy, as_percent=True)),
        ("Loss after each epoch", curves_chart("Loss", loss, as_percent=False)),
    )
    return mark(
        "section",
        mark("h2", "How they learned"),
        mark(
            "div",
            [mark("figure", mark("figcaption", title), chart) for title, chart in charts],
            class_="pair",
        ),
        mark(
            "p",
            "Full line: on the dev files. Dashed: while training, averaged over the epoch.",
            class_="note",
        ),
        id="learning",
    )


def corpus_section(corpus: Corpus) -> Mark:
    """Draw what was learned from."""
    lengths = corpus["lengths"]
    rows = [
        mark(
            "tr",
            mark("th", part["name"], scope="row"),
            [
                mark("td", f"{count:,}", class_="figure")
                for count in (part["files"], part["sequences"], part["steps"])
            ],
        )
        for part in corpus["parts"]
    ]
    spread = (
        f"{lengths['shortest']} to {lengths['longest']} tokens, half of the sequences at most "
        f"{lengths['median']}"
    )
    return mark(
        "section",
        mark("h2", "The corpus"),
        mark(
            "p",
            f"The {corpus['name']}, parted by file, so that nothing leaks. A sequence is a function"
            f" or the lines between two; its steps are tokens, each with one of {corpus['labels']} "
            f"labels that Python's own parser gives. {corpus['vocabulary']:,} token ids; "
            f"{percent(corpus['unknown'])} of the test tokens have none of their own.",
        ),
        mark(
            "div",
            table(("part", "files", "sequences", "tokens"), rows, "Parts of the corpus"),
            mark(
                "figure",
                mark("figcaption", f"Length of the training sequences: {spread}"),
                histogram("Length of sequences", lengths["counts"], lengths["width"]),
            ),
            class_="pair",
        ),
        id="corpus",
    )


def models_section(models: list[ModelResult]) -> Mark:
    """Draw both models, layer by layer, with shapes."""
    return mark(
        "section",
        mark("h2", "The models"),
        mark("div", [_model(model) for model in models], class_="pair"),
        id="models",
    )


def _model(model: ModelResult) -> Mark:
    rows = [
        mark(
            "tr",
            mark("th", line["kind"], scope="row"),
            mark("td", mark("code", line["output_shape"])),
            mark("td", f"{line['parameters']:,}", class_="figure"),
        )
        for line in model["layers"]
    ]
    return mark(
        "figure",
        mark("figcaption", mark("b", model["title"]), f" {model['parameters']:,} parameters"),
        table(("layer", "output shape", "parameters"), rows, model["title"]),
        mark(
            "p",
            mark("code", f'es.load_model("{model["file"]}")'),
            f" · {percent(model['name_accuracy'])} right among names, where there is something to "
            "decide",
            class_="note",
        ),
    )
