"""On the page of an explanation, what is pointed at lights exactly what its map says."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from playwright.sync_api import Page

from everystep.drawing import (
    comparison_page,
    demonstration_page,
    explanation_fragment,
    explanation_page,
)
from everystep.drawing.explained import Explained
from everystep.drawing.palette import LIGHT
from tests.drawing.browser import SIZES, Watched, browser
from tests.drawing.explanations import (
    branches,
    dense,
    five_designs,
    per_step,
    tagger,
    unproven,
)
from tests.drawing.reports import small_report

LENGTHS = (3, 4, 5)


def long_names() -> Explained:
    """A model whose names and reasons no screen is wide enough for."""
    model, name = unproven(), "name_" * 80
    model["name"] = model["layers"][0]["path"] = model["assumptions"][0] = name
    model["any_length"], model["any_length_reason"] = False, f"{name} {name}"
    model["inputs"][0]["name"] = model["maps"][0]["input"] = name
    return model


PAGES = {
    "explanation": explanation_page([branches()], 6),
    "comparison": comparison_page(five_designs()),
    "long names": explanation_page([long_names()], 4),
    "demonstration": demonstration_page(small_report()),
}


def several(steps: tuple[int, ...] = LENGTHS) -> list[Explained]:
    """The tagger for several numbers of steps, under one name as a report has it."""
    models = [tagger(each) for each in steps]
    for each in models:
        each["name"] = "tagger"
    return models


@pytest.fixture(scope="module")
def tab() -> Iterator[Watched]:
    with browser() as started:
        yield Watched(started)


@pytest.fixture(autouse=True)
def nothing_goes_wrong(tab: Watched) -> Iterator[None]:
    tab.wrong.clear()
    tab.resize("desktop")
    yield
    assert tab.wrong == []


def opened(tab: Watched, folder: Path, models: list[Explained], shown: int) -> Page:
    return tab.open(folder / "page.html", explanation_page(models, shown))


def lit(
    page: Page, marks: str, look: str, *names: str, within: str = "main"
) -> set[tuple[int, ...]]:
    """Return the places of all marks of a kind that have a look."""
    found = page.locator(f"{within} {marks}.{look}").evaluate_all(
        "(marks, names) => marks.map((each) => names.map((name) => Number(each.dataset[name])))",
        list(names),
    )
    return {tuple(each) for each in found}


def said(page: Page) -> str:
    return page.locator(".said").inner_text()


def test_an_output_unit_lights_what_it_reads_and_who_shares_its_weights(
    tab: Watched, tmp_path: Path
) -> None:
    page = opened(tab, tmp_path, several(), 4)
    page.hover('circle[data-side="output"][data-step="2"][data-unit="1"]')
    assert lit(page, 'circle[data-side="input"]', "read", "step") == {(0,), (1,), (2,)}
    outputs = 'circle[data-side="output"]'
    assert lit(page, outputs, "pointed", "step", "unit") == {(2, 1)}
    assert lit(page, outputs, "sharing", "step", "unit") == {(0, 1), (1, 1), (3, 1)}
    assert lit(page, ".wire", "read", "output", "input", "unit") == {
        (2, 0, 1),
        (2, 1, 1),
        (2, 2, 1),
    }
    assert lit(page, ".cell", "read", "output", "input") == {(2, 0), (2, 1), (2, 2)}
    # The LSTM hands its state on; dense, layer 2, reads its own step alone.
    steps = {(layer, step) for layer in (-1, 0, 1) for step in range(3)} | {(2, 2)}
    assert lit(page, ".calls [data-step]", "read", "layer", "step") == steps
    assert lit(page, ".chain", "read", "layer", "output") == {(1, 1), (1, 2)}
    assert said(page) == (
        "output step 2 reads input steps 0, 1, 2; made by embedding/embeddings, recurrent/kernel, "
        "recurrent/bias and 2 more, shared by steps 0-3"
    )


def test_weights_of_a_step_of_its_own_light_no_other_step(tab: Watched, tmp_path: Path) -> None:
    page = opened(tab, tmp_path, [per_step()], 4)
    page.hover('circle[data-side="output"][data-step="1"][data-unit="0"]')
    assert lit(page, "circle", "sharing", "step") == set()
    assert lit(page, 'circle[data-side="input"]', "read", "step") == {(1,)}
    assert "made by its own part of per_step/1/kernel, per_step/1/bias" in said(page)


def test_an_input_unit_lights_those_who_read_it(tab: Watched, tmp_path: Path) -> None:
    page = opened(tab, tmp_path, several(), 5)
    page.hover('circle[data-side="input"][data-step="3"]')
    assert lit(page, 'circle[data-side="output"]', "read", "step") == {(3,), (4,)}
    assert lit(page, ".cell", "read", "output", "input") == {(3, 3), (4, 3)}
    assert lit(page, ".chain", "read", "layer", "output") == {(1, 4)}
    assert said(page) == "input step 3 is read by output steps 3, 4"
    page.mouse.move(2, 2)
    assert lit(page, "*", "read", "step") == set()
    assert said(page).startswith("Point at a step")


def test_a_pair_says_how_it_is_known(tab: Watched, tmp_path: Path) -> None:
    page = opened(tab, tmp_path, [unproven()], 4)
    page.hover('.cell[data-output="1"][data-input="2"]')
    assert "not ruled out, not seen" in said(page)
    page.hover('.cell[data-output="2"][data-input="2"]')
    assert said(page) == "output step 2 reads input step 2: seen by changing it"
    assert lit(page, 'circle[data-side="input"]', "read", "step") == {(2,)}
    page.hover('.cell[data-output="0"][data-input="3"]')
    assert said(page) == "output step 0 cannot read input step 3: ruled out by the program"
    assert lit(page, ".wire", "read", "output") == set()


def test_a_step_of_a_layer_lights_all_that_it_is_made_of(tab: Watched, tmp_path: Path) -> None:
    page = opened(tab, tmp_path, [branches()], 6)
    page.hover('.calls [data-layer="2"][data-step="1"]')
    assert lit(page, ".calls [data-step]", "read", "layer", "step") == {
        (2, 1),
        (0, 0),
        (0, 1),
        (1, 1),
        (-1, 0),
        (-1, 1),
        (-2, 1),
    }
    assert said(page) == (
        "join step 1 reads words step 1 and signs step 1, "
        "in the end words (input) steps 0, 1 and signs (input) step 1"
    )


def test_arrow_keys_go_from_unit_to_unit(tab: Watched, tmp_path: Path) -> None:
    page = opened(tab, tmp_path, [dense()], 4)
    page.focus('.network circle[data-side="output"][data-step="0"][data-unit="4"]')
    page.keyboard.press("ArrowRight")
    assert lit(page, "circle", "pointed", "step", "unit") == {(1, 0)}
    assert said(page).startswith("output step 1 reads input step 1;")
    page.keyboard.press("ArrowDown")
    assert said(page).startswith("input step 1 is read by output step 1")
    page.keyboard.press("ArrowUp")
    assert said(page).startswith("output step 1 ")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert said(page).startswith("output step 0 ")
    # To the right of the last input unit there are output units, but in another row.
    page.focus('.network circle[data-side="input"][data-step="3"][data-unit="2"]')
    page.evaluate("addEventListener('keydown', (event) => { scrolls = !event.defaultPrevented; })")
    page.keyboard.press("ArrowRight")
    assert lit(page, "circle", "pointed", "step", "unit") == {(3, 2)}
    assert page.evaluate("scrolls") is False
    # Each picture is one stop of the tab key, and keeps where one was.
    page.keyboard.press("Tab")
    assert lit(page, ".cell", "pointed", "output", "input") == {(0, 0)}
    page.keyboard.press("ArrowDown")
    assert lit(page, ".cell", "pointed", "output", "input") == {(1, 0)}
    page.keyboard.press("ArrowRight")
    assert lit(page, ".cell", "pointed", "output", "input") == {(1, 1)}
    page.keyboard.press("Shift+Tab")
    assert said(page).startswith("input step 3 ")
    page.keyboard.press("Escape")
    assert said(page).startswith("Point at a step")


def test_the_number_of_steps_can_be_chosen(tab: Watched, tmp_path: Path) -> None:
    page = opened(tab, tmp_path, several(), 4)
    inputs = '.network circle[data-side="input"]'
    for steps in (5, 3, 4, 5):
        page.locator(f'input[value="{steps}"] + span').click()
        assert page.locator(inputs).count() == steps
        assert page.locator(".calls [data-layer='1'][data-step]").count() == steps
        page.hover(f'circle[data-side="output"][data-step="{steps - 1}"][data-unit="0"]')
        assert lit(page, 'circle[data-side="input"]', "read", "step") == {
            (each,) for each in range(steps)
        }


def test_a_page_of_many_layers_has_them_for_one_number_of_steps(
    tab: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module("everystep.drawing.explanation_page")
    monkeypatch.setattr(module, "_MOST_LAYERS", 8)
    page = opened(tab, tmp_path, several(), 4)
    free = "(all) => all.filter((each) => !each.disabled).map((each) => each.value)"
    steps, parts = page.locator("[name=steps]"), page.locator("[name=part] option")
    assert steps.evaluate_all(free) == ["3", "4", "5"]
    page.locator("select[name=part]").select_option("2")
    assert steps.evaluate_all(free) == ["4"]
    page.locator("select[name=part]").select_option("0")
    page.locator('input[value="5"] + span').click()
    assert parts.evaluate_all(free) == ["0"]


def test_where_a_model_takes_no_other_number_the_control_says_why(
    tab: Watched, tmp_path: Path
) -> None:
    page = opened(tab, tmp_path, [per_step()], 4)
    assert page.get_by_label("4", exact=True).count() == 1
    assert "takes no other number: a kernel of 12 rows" in page.locator("form").inner_text()


def test_a_layer_can_be_chosen(tab: Watched, tmp_path: Path) -> None:
    page = opened(tab, tmp_path, several(), 4)
    page.locator("select[name=part]").select_option("3. dense (Dense)")
    page.hover('circle[data-side="output"][data-step="2"][data-unit="0"]')
    assert lit(page, 'circle[data-side="input"]', "read", "step") == {(2,)}
    assert said(page).startswith("dense step 2 reads recurrent step 2; made by dense/kernel")
    steps = {(2, 2), (1, 2)}
    assert lit(page, ".calls [data-step]", "read", "layer", "step") == steps
    assert lit(page, ".calls [data-step]", "picked", "layer") == {(2,)}
    page.locator("select[name=part]").select_option("whole model")
    assert lit(page, ".calls [data-step]", "picked", "layer") == set()
    assert page.locator(".network circle[data-side=input]").count() == 4


def test_one_of_several_maps_can_be_chosen(tab: Watched, tmp_path: Path) -> None:
    page = opened(tab, tmp_path, [branches()], 6)
    assert page.locator("figure.map:visible").count() == 1
    page.locator("select[name=map-0]").select_option("tags reads signs")
    page.hover("figure.map:visible .cell[data-output='4'][data-input='4']")
    assert said(page) == "tags step 4 reads signs step 4: seen by changing it"


def test_names_are_text_whatever_they_say(tab: Watched, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    model = unproven()
    model["name"] = f"</script>{hostile}"
    model["layers"][0]["path"] = model["weights"][0]["path"] = hostile
    model["layers"][0]["weights"] = [hostile]
    page = opened(tab, tmp_path, [model], 4)
    page.hover('circle[data-side="output"][data-step="2"][data-unit="0"]')
    assert f"made by {hostile}, shared" in said(page)
    assert page.locator("h1").inner_text() == f"</script>{hostile}"
    assert page.locator("img").count() == 0


def test_what_is_pointed_at_in_one_design_is_lit_in_all(tab: Watched, tmp_path: Path) -> None:
    page = tab.open(tmp_path / "page.html", comparison_page(five_designs()))
    page.hover('article:nth-child(2) circle[data-side="output"][data-step="1"][data-unit="3"]')
    words = page.locator(".said").all_inner_texts()
    own = "output step 1 reads input step 1; made by"
    assert words == [
        *(f"{own} dense/kernel, dense/bias, shared by steps 0-3" for _ in range(3)),
        "output step 1 reads input steps 0-3; made by its own part of dense/kernel, dense/bias",
        f"{own} its own part of per_step/1/kernel, per_step/1/bias",
    ]
    read = [
        lit(page, "circle[data-side=input]", "read", "step", within=f"article:nth-child({place})")
        for place in range(1, 6)
    ]
    assert lit(page, "circle", "pointed", "step", "unit") == {(1, 3)}
    assert page.locator("circle.pointed").count() == 5
    everything = {(step,) for step in range(4)}
    assert read == [{(1,)}, {(1,)}, {(1,)}, everything, {(1,)}]
    live = page.locator(".said").evaluate_all("(lines) => lines.map((each) => each.ariaLive)")
    assert live == ["off", "polite", "off", "off", "off"]


def test_pieces_of_a_notebook_change_nothing_around_them(tab: Watched, tmp_path: Path) -> None:
    around = '<p class="note">note</p><svg><g class="cell-step w0"><rect/></g></svg>'
    looks = "[...document.querySelectorAll('body > *, rect')].map((e) => getComputedStyle(e).fill)"
    page = tab.open(tmp_path / "page.html", f"<!DOCTYPE html><body>{around}</body>")
    before = page.evaluate(f"{looks}.slice(0, 3)")
    pieces = explanation_fragment(tagger()) + explanation_fragment(unproven())
    page = tab.open(tmp_path / "page.html", f"<!DOCTYPE html><body>{around}{pieces}</body>")
    assert page.evaluate(f"{looks}.slice(0, 3)") == before
    filled = ".cell-step.lit.w1 rect"
    colour = page.locator(filled).first.evaluate("(each) => getComputedStyle(each).fill")
    channels = [int(LIGHT["w1"][at : at + 2], 16) for at in (1, 3, 5)]
    assert colour == f"rgb({', '.join(map(str, channels))})"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_pages_fit_the_screen(
    tab: Watched, tmp_path: Path, size: str, scheme: str, text: str
) -> None:
    page = tab.open(tmp_path / "page.html", text)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.resize(size)
    page.hover('circle[data-side="output"][data-step="2"][data-unit="0"]')
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture = page.screenshot(path=tmp_path / f"{size}-{scheme}.png")
    assert picture.startswith(b"\x89PNG")
    colours = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (colours == "rgb(255, 255, 255)") == (scheme == "light")
