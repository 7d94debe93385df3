"""A small report, made by hand, with text in it that must be escaped."""

from everystep.drawing.report import (
    Call,
    Confusion,
    Curves,
    Label,
    ModelResult,
    Part,
    Report,
    Sample,
    SummaryLine,
    Token,
)
from tests.drawing.explanations import HOSTILE, five_designs, tagger


def token(text: str, before: str, role: str, forward: str = "", bidirectional: str = "") -> Token:
    return Token(
        text=text,
        before=before,
        role=role,
        forward=forward or role,
        bidirectional=bidirectional or role,
    )


def sample() -> Sample:
    return Sample(
        path="pack/age.py",
        line=7,
        tokens=[
            token("def", "", "keyword"),
            token("f", " ", "function defined"),
            token("(", "", "operator"),
            token("x", "", "parameter", "variable read", "variable written"),
            token(")", "", "operator"),
            token(":", "", "operator"),
            token("return", "\n    ", "keyword"),
            token("g", " ", "function called", "variable read"),
            token("(", "", "operator"),
            token(f"'''{HOSTILE}\nsecond \x0c line'''", "", "string"),
            token(")", "", "operator"),
        ],
    )


def model(name: str, accuracy: float) -> ModelResult:
    return ModelResult(
        name=name,
        title=f"the {name} one",
        file=f"{name}.everystep",
        layers=[SummaryLine(name="lstm", kind="LSTM", output_shape="(None, 2)", parameters=1234)],
        parameters=1234,
        accuracy=accuracy,
        name_accuracy=accuracy / 2,
        curves=Curves(
            loss=[2.0, 1.0], accuracy=[0.5, 0.8], val_loss=[1.5, 1.2], val_accuracy=[0.6, 0.7]
        ),
        seconds=3.2,
        steps_per_second=4567.0,
        explained=tagger(kind="LSTM" if name == "forward" else "Bidirectional"),
    )


def label(name: str, steps: int, forward: float, bidirectional: float) -> Label:
    return Label(
        name=name,
        meaning=f"what is a {name} <",
        steps=steps,
        majority=0.0,
        by_token=0.25,
        forward=forward,
        bidirectional=bidirectional,
    )


def call() -> Call:
    return Call(
        path="other.py",
        line=3,
        before="a_long_name_before_it = another_long_name < ",
        text="run",
        after="(with_many, arguments, behind=it)",
        role="function called",
        forward="variable read",
        bidirectional="function called",
        swapped_forward="variable read",
        swapped_bidirectional="variable read",
    )


def small_report() -> Report:
    return Report(
        versions={"python": "3.11", "everystep": HOSTILE},
        settings={"seed": 0, "learning_rate": 0.01},
        corpus={
            "name": f"corpus {HOSTILE}",
            "parts": [
                Part(name=name, files=2, sequences=30, steps=1200)
                for name in ("train", "dev", "test")
            ],
            "skipped": 0,
            "labels": 20,
            "vocabulary": 99,
            "unknown": 0.125,
            "lengths": {
                "shortest": 1,
                "median": 9,
                "mean": 9.5,
                "longest": 24,
                "counts": [3, 0, 5],
                "width": 8,
            },
            "baselines": {"majority": 0.45, "majority_label": "operator", "by_token": 0.8},
            "test_files": ["a.py", "b.py"],
        },
        models=[model("forward", 0.75), model("bidirectional", 1.0)],
        labels=[label("function called", 70, 0.4, 0.9), label("type", 8, 0.9, 0.8)],
        samples=[sample(), sample()],
        parenthesis={
            "calls": 50,
            "missed": 20,
            "mended": 18,
            "gained": 30,
            "lost": 2,
            "examples": [call()],
            "swap": {
                "tried": 17,
                "forward_changed": 0,
                "bidirectional_changed": 16,
                "forward_difference": 0.0,
            },
            "confusions": [
                Confusion(
                    role="type",
                    said="module",
                    forward=5,
                    bidirectional=1,
                    next="<string>",
                    next_share=0.5,
                )
            ],
        },
        designs=five_designs(),
        seconds={"whole run": 12.0},
    )
