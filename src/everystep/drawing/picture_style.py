"""The style of pictures, on pages and in files of their own."""

from __future__ import annotations

from typing import Final

from everystep.drawing.marks import Mark, mark
from everystep.drawing.palette import DARK, LIGHT, WEIGHT_COLOURS, resolved

_SHEET: Final = """
.picture text{fill:var(--ink);font:12px system-ui,-apple-system,"Segoe UI",Roboto,
  "Helvetica Neue",Arial,sans-serif}
.picture .note,.picture .axis{fill:var(--soft);font-size:12px}
.picture .step{font-size:13px}
.picture .port{font-weight:600}
.picture .dots{fill:var(--soft);font-weight:700}
.picture .small{font-size:9px}
.wire{fill:none;stroke-width:.8;opacity:.34}
.many .wire{opacity:.2}
.wire.may{stroke-dasharray:5 3}
.wire.beyond{stroke-dasharray:1.5 3}
.wires .strong{stroke-width:2.2;opacity:1}
.column rect{fill:var(--paper);stroke:var(--line);stroke-width:1.2}
.column.output rect{stroke-width:1.5}
.unit{fill:var(--unit)}
.ground{fill:var(--paper)}
.grid{fill:none;stroke:var(--line);stroke-width:.7}
.cell.seen,.sample.seen{fill:var(--both)}
.cell.may,.sample.may{fill:url(#may);stroke:var(--both);stroke-width:1.2}
.cell.never{fill:none;pointer-events:all}
.sample.never{fill:var(--paper);stroke:var(--line)}
.cell.close{shape-rendering:crispEdges;stroke:none}
#may path{stroke:var(--both);stroke-width:1.3}
.picture .letter{font-size:13px;font-weight:700}
.picture .layer-name{font-weight:700;fill:var(--ink)}
.cell-step rect{fill:var(--paper);stroke-width:1.6}
.edge{fill:none;stroke:var(--soft);stroke-width:1;opacity:.55}
.edge.beyond{stroke-dasharray:1.5 3}
.edge.chain{stroke-width:1.4;opacity:.75}
.edge.strong{stroke:var(--ink);stroke-width:2;opacity:1}
.area{fill:var(--soft);opacity:.07}
.area.strong{fill:var(--ink);opacity:.16}
.picture .name{font-size:20px;font-weight:700}
.picture .heading{font-size:15px;font-weight:700}
.picture .number{font-size:17px;font-weight:700}
.picture .row-name{font-weight:700}
.rule{stroke:var(--line)}
.picture .pill text{fill:var(--paper);font-weight:700;font-size:13px}
.axes .grid{stroke:var(--faint)}
.curve polyline{fill:none;stroke-width:2.4}
.curve .dashed{stroke-width:1.4;stroke-dasharray:5 4}
.share.right{fill:var(--both)}
.share.wrong{fill:var(--wrong)}
.picture .share-number{font-size:11px}
.picture .share-number.over{fill:var(--paper)}
"""

_WEIGHTS: Final = """
.wire.{0},.column.output.{0} rect{{stroke:var(--{1})}}
.cell-step.{0} rect{{stroke:var(--{1})}}
.picture .cell-step.{0} text{{fill:var(--{1})}}
.curve.{0} polyline{{stroke:var(--{1})}}
.curve.{0} polygon,.curve.{0} circle,.picture .curve.{0} text{{fill:var(--{1})}}
.cell-step.lit.{0} rect,.pill.{0} rect,.strip.{0},.unit.lit.{0}{{fill:var(--{1})}}
"""


_LAST: Final = ".picture .cell-step.lit text{fill:var(--paper)}"


def picture_sheet() -> str:
    """Return the rules that pictures need on a page that declares the colours."""
    kinds = [(f"w{number}", f"w{number}") for number in range(WEIGHT_COLOURS)]
    return _SHEET + "".join(_WEIGHTS.format(*each) for each in (*kinds, ("none", "soft"))) + _LAST


def standalone_sheet() -> str:
    """Return the style sheet of a picture in a file of its own, light and dark."""
    sheet = picture_sheet()
    dark = resolved(sheet, DARK)
    return f"{resolved(sheet, LIGHT)}@media screen and (prefers-color-scheme:dark){{{dark}}}"


def definitions() -> Mark:
    """Return what pictures refer to; a page or file holds it once."""
    hatch = mark(
        "pattern",
        mark("path", d="M-1.5,1.5l3,-3M0,6l6,-6M4.5,7.5l3,-3"),
        id="may",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    )
    return mark("defs", hatch)
