"""Explanations as text say all that is known, in every encoding, and obey nothing in a name."""

import pytest

from everystep.drawing.explanation_text import comparison_text, explanation_text
from everystep.drawing.map_text import map_text
from tests.drawing import explanations as made

TAGGER = """\
tagger of 3 steps (Sequential): inputs (batch, 3) int32 → outputs (batch, 3, 5) float32

  a step reads       itself and earlier; exact: what is not ruled out has been seen
  step-wise          no
  causal             yes
  looks back         without bound
  looks ahead        0 steps
  any length         yes
  weights            shared by 3 steps
  parameters         1,195; 100 × 8 + 8 × 24 + 6 × 5 + …
  a step costs       15 multiply-adds; 112 bytes to move
  kernel             xla, model/recurrent
  padding            changes nothing; no padded step changes a real one
  packing            changes nothing; no sequence changes its neighbour

            inputs →
outputs ↓   0 1 2
          0 ██· ·
          1 ████·
          2 ██████
            ██ reads it: seen by changing it
            ·  cannot read it

layer                  before         after          parameters  weights          a step reads
────────────────────────────────────────────────────────────────────────────────────────────────────
embedding (Embedding)  (batch, 3)     (batch, 3, 8)         800  A for all steps  itself alone
recurrent (LSTM)       (batch, 3, 8)  (batch, 3, 6)         360  B for all steps  itself and earlier
dense (Dense)          (batch, 3, 6)  (batch, 3, 5)          35  C for all steps  itself alone
"""  # noqa: RUF001


def test_an_explanation_is_written() -> None:
    assert explanation_text(made.tagger(3)) == TAGGER


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_an_encoding_with_fewer_characters_gets_the_same_picture(encoding: str) -> None:
    text = explanation_text(made.unproven(), encoding=encoding)
    text.encode(encoding)
    dark, grey = ("██", "▒▒") if encoding == "cp437" else ("##", "++")
    assert f"0 {dark}{grey}. ." in text.replace("·", ".")


def test_what_is_not_certain_is_said() -> None:
    text = explanation_text(made.unproven())
    for words in (
        "up to 3 steps; not exact: 6 pairs not ruled out and not seen",
        "padding            leaks; output step 0 reads step 1:",
        "packing            refused;",
        "not known          <script",
        "taken for granted  <script",
        "▒▒ may read it",
    ):
        assert words in text


def test_a_design_that_takes_one_length_says_why() -> None:
    text = explanation_text(made.flattened())
    assert "any length         no, 4 steps only; a kernel of 12 rows takes 4 steps of 3" in text
    assert "flatten (Flatten)  (batch, 4, 3)  (batch, 12)             0  none" in text


def test_every_map_of_several_inputs_and_outputs_is_drawn() -> None:
    lines = explanation_text(made.branches()).splitlines()
    axes = [line.strip() for line in lines if line.endswith("→")]
    assert axes == ["words →", "signs →"] * 2


def test_a_large_map_is_drawn_in_blocks_of_steps() -> None:
    lines = map_text(made.tagger(100)["maps"][0])
    assert lines[1] == "outputs ↓   0         25        50        75"
    assert lines[2] == "          0 ▓▓" + "· " * 18 + "·"
    assert lines[21].strip() == "██" * 19 + "▓▓"
    assert "one block is 5 \N{MULTIPLICATION SIGN} 5 steps" in lines[-1]


def test_one_step_is_drawn() -> None:
    assert map_text(made.dense(steps=1)["maps"][0])[2] == "          0 ██"


def test_a_terminal_obeys_nothing_that_is_in_a_name() -> None:
    data = made.dense()
    data["name"] = "\x1b[2J\x07[red]bold[b]"
    data["layers"][0]["path"] = data["name"]
    text = explanation_text(data)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.count("[red]bold[b]") == 2


def test_a_comparison_is_a_row_for_each_model_and_the_reasons() -> None:
    lines = comparison_text(made.five_designs(), width=160).splitlines()
    assert lines[0] == "5 models, 4 steps"
    assert lines[2].split()[:3] == ["model", "parameters", "output"]
    row = "Flatten, Dense, Reshape 260 (batch, 4, 5) yes no no no wider"
    assert " ".join(lines[7].split()) == row
    assert lines[-1] == "PerStep(Dense): equal kernels at all steps"


def test_lines_keep_to_the_width() -> None:
    assert max(map(len, comparison_text(made.five_designs(), width=80).splitlines())) <= 80
    assert max(map(len, explanation_text(made.tagger(40), width=80).splitlines())) <= 100
