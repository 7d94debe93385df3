"""The style of what can be pointed at, on top of the style of pages and pictures."""

from __future__ import annotations

from typing import Final

from everystep.drawing.palette import WEIGHT_COLOURS

_LAYOUT: Final = """
.controls{display:flex;flex-wrap:wrap;gap:.6rem 1.6rem;align-items:end;margin:1.4rem 0 .2rem}
.controls fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;align-items:center;
  min-width:0}
.controls legend,.controls label span{display:block;color:var(--soft);font-size:.8rem;padding:0}
.controls legend,.controls label span{margin-bottom:.15rem}
.controls label{max-width:100%}
.controls select{font:inherit;max-width:100%;color:var(--ink);background:var(--paper);
  border:1px solid var(--line);border-radius:8px;padding:.32rem .5rem;min-height:2.4rem}
.controls fieldset label{cursor:pointer}
.controls fieldset input{position:absolute;opacity:0}
.controls fieldset label span{font-size:1rem;min-width:2.4rem;line-height:2.3rem;color:var(--ink);
  margin:0;text-align:center;border:1px solid var(--line);border-left-width:0}
.controls legend+label span{border-left-width:1px;border-radius:8px 0 0 8px}
.controls fieldset label:last-of-type span{border-top-right-radius:8px;
  border-bottom-right-radius:8px}
.controls input:checked+span{background:var(--both);border-color:var(--both);color:var(--paper);
  font-weight:600}
.controls input:disabled+span{color:var(--soft);opacity:.5;cursor:not-allowed}
.controls input:focus-visible+span{outline:2px solid var(--both);outline-offset:2px}
.controls small{margin-left:.8rem;flex-basis:12rem;flex-grow:1}
.said{position:sticky;top:0;z-index:1;margin:.9rem 0;padding:.6rem .9rem;max-width:none;
  height:4.2em;overflow-y:auto;line-height:1.5;background:var(--panel);border:1px solid var(--line);
  border-radius:10px}
.pictures{display:flex;flex-wrap:wrap;gap:1.6rem 2.4rem;align-items:flex-start;margin:1.2rem 0}
.panel{display:contents}
.panel figure{flex:1 1 var(--wide);max-width:min(100%,calc(1.2*var(--wide)))}
.panel svg{min-width:calc(.8*var(--wide))}
.panel .facts{order:1;flex:1 1 100%;display:grid;gap:0 2rem;
  grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr))}
.facts div{padding:.4rem 0;border-top:1px solid var(--faint)}
.facts dt{margin:0}
.facts dd{overflow-wrap:anywhere;font-weight:600}
.facts small{display:block;font-weight:400;line-height:1.35}
.panel .layers{order:2;flex:1 1 100%;min-width:0}
.layers small{display:block;font-weight:400}
.layers td code{white-space:nowrap}
.compared .cards{grid-template-columns:repeat(auto-fit,minmax(min(100%,var(--card)),1fr))}
.compared h3{font-size:.9rem}
.cards .explanation .said{position:static;height:9.8em;margin:0 0 .6rem;padding:.4rem .6rem;
  font-size:.8rem}
.cards .pictures{margin:0;gap:.8rem}
.cards .panel figure{flex-basis:100%}
.cards .panel svg{min-width:0}
td small{display:block}
tbody th{overflow-wrap:anywhere;min-width:min(15rem,36vw);max-width:22rem}
.models td:not(:last-child){white-space:nowrap}
h1,.lead,.said,.cards,.controls,figcaption{overflow-wrap:anywhere}
[hidden]{display:none}
"""

_POINTING: Final = """
.panel svg [tabindex]{cursor:pointer;outline:none}
.panel .unit:focus-visible{stroke-width:3}
.panel .wire,.panel .strip,.panel .edge,.panel .area,.panel .grid{pointer-events:none}
.pointing .panel .wire{opacity:.05;stroke-width:.8}
.pointing .panel .wire.read{opacity:1;stroke-width:2.2}
.broad .panel .wire.read{opacity:.6;stroke-width:1.1}
.pointing .panel .unit{fill:var(--line)}
.pointing .panel .unit.read,.pointing .panel .unit.pointed{fill:var(--pointed)}
.pointing .panel .unit.pointed{stroke:var(--ink);stroke-width:1.8}
.pointing .panel .unit.sharing{fill:var(--paper);stroke:var(--pointed);stroke-width:2.2}
.pointing .panel .column,.pointing .panel .pill,.pointing .panel .strip{opacity:.3}
.pointing .panel .column.read,.pointing .panel .column.sharing,.pointing .panel .column.pointed
  {opacity:1}
.pointing .panel .pill.read,.pointing .panel .pill.sharing,.pointing .panel .strip.read,
  .pointing .panel .pill.pointed{opacity:1}
.pointing .panel .cell{opacity:.18}
.pointing .panel .cell.read,.pointing .panel .cell.pointed{opacity:1}
.pointing .panel .cell.pointed{stroke:var(--ink);stroke-width:2}
.pointing .panel .edge{opacity:.12;stroke:var(--soft);stroke-width:1}
.pointing .panel .area{opacity:.03}
.pointing .panel .edge.read{opacity:1;stroke:var(--ink);stroke-width:2}
.pointing .panel .area.read{opacity:.16}
.pointing .panel .cell-step{opacity:.3}
.pointing .panel .cell-step.read,.pointing .panel .cell-step.sharing,
  .pointing .panel .cell-step.pointed{opacity:1}
.pointing .panel .cell-step rect{fill:var(--paper)}
.pointing .panel .filled{visibility:hidden}
.panel .row.picked .layer-name{fill:var(--both);text-decoration:underline}
.panel .cell-step.picked rect{stroke-width:3}
.pointing .panel .cell-step.pointed rect{stroke:var(--ink);stroke-width:3}
"""

_NARROW: Final = """
@media (max-width:760px){.pictures{gap:1.4rem}
.said{font-size:.92rem;height:7.2em}}
"""

_PRINT: Final = """
@media print{.controls,.explanation:not(.pointing) .said{display:none}
.explanation .said,.cards .explanation .said{position:static;height:auto}
.panel svg{min-width:0}}
"""


# Pictures fill what one step is made of; while one points, it is what the pointed step is made of.
_FILLED: Final = """
.pointing .panel .cell-step.read.{0} rect{{fill:var(--{1})}}
.pointing .panel .cell-step.read.{0} text{{fill:var(--paper)}}
.pointing .panel .cell-step.lit.{0}:not(.read) text{{fill:var(--{1})}}
"""


def explanation_style() -> str:
    """Return the rules that a page of explanations needs besides those of every page."""
    kinds = [(f"w{number}", f"w{number}") for number in range(WEIGHT_COLOURS)]
    filled = "".join(_FILLED.format(*each) for each in (*kinds, ("none", "soft")))
    return "".join((_LAYOUT, _POINTING, filled, _NARROW, _PRINT))
