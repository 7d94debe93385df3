"""The style of pages: light and dark, on screens of any width, and in print."""

from __future__ import annotations

from everystep.drawing.looks import FAMILIES
from everystep.drawing.palette import DARK, LIGHT, declared
from everystep.drawing.picture_style import picture_sheet

_LAYOUT = """
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem 1.5rem 3rem;max-width:1240px;
  font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
h1{font-size:clamp(1.7rem,4vw,2.5rem);line-height:1.15;margin:.1em 0 .4em;letter-spacing:-.02em}
h2{font-size:1.45rem;margin:3.2rem 0 .4rem;letter-spacing:-.01em}
h3{font-size:.94rem;margin:0 0 .4rem}
p{margin:.4em 0 1em;max-width:76ch}
.brand{color:var(--soft);font-weight:600;margin:0}
.lead{font-size:1.08rem}
.note,.where,figcaption,small,footer{color:var(--soft);font-size:.86rem}
figcaption b{color:var(--ink)}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{font-size:.86em}
figure{margin:0;min-width:0}
figcaption{margin:0 0 .4rem}
:focus-visible{outline:2px solid var(--both);outline-offset:2px}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1.2rem;margin:.8rem 0}
.scroll{overflow-x:auto}
details{margin:1rem 0}
summary{cursor:pointer;font-weight:600}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font-size:12px}
footer{margin-top:3.5rem;border-top:1px solid var(--line);padding-top:1rem}
footer p{margin:.2em 0;max-width:none}
"""

_TABLES = """
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.34rem .9rem .34rem 0;border-bottom:1px solid var(--faint);
  vertical-align:middle}
thead th{color:var(--soft);font-weight:600;font-size:.84rem;border-bottom-color:var(--line)}
tbody th{font-weight:600}
.figure{text-align:right;white-space:nowrap}
.minor{color:var(--soft)}
.headline{display:grid;gap:.55rem;margin:1.6rem 0 0;padding:1.2rem 1.4rem;border-radius:12px;
  background:var(--panel);border:1px solid var(--line)}
.row{display:grid;grid-template-columns:6.2rem minmax(0,21rem) minmax(0,1fr);gap:1rem;
  align-items:center}
.row .number{font-size:1.55rem;font-weight:700;letter-spacing:-.02em;text-align:right;
  font-variant-numeric:tabular-nums;white-space:nowrap}
.row .words{line-height:1.25}
.row small{display:block}
.row.plain .number{font-weight:500;color:var(--soft)}
.row.forward .number{color:var(--forward)}
.row.bidirectional .number{color:var(--both)}
.row .share{height:22px}
.share{height:11px;width:100%}
.bars-cell{width:34%;min-width:12rem}
.bars-cell .share+.share{margin-top:2px}
.track{fill:var(--faint)}
.fill{fill:var(--soft)}
.fill.forward{fill:url(#stripes)}
#stripes .under{fill:var(--forward);opacity:.35;stroke:none}
#stripes{stroke:var(--forward);stroke-width:2.2}
.defined{position:absolute;width:0;height:0}
.fill.bidirectional{fill:var(--both)}
.tick{fill:var(--ink)}
"""

_SOURCE = """
pre{margin:0;padding:.8rem .9rem 2.4rem;overflow-x:auto;background:var(--panel);tab-size:4;
  border:1px solid var(--line);border-radius:10px;font-size:12.5px;line-height:1.6}
pre{clear:both}
figcaption{display:flex;flex-wrap:wrap;gap:0 .6rem}
figcaption .where{margin-left:auto}
.line .number{color:var(--soft);opacity:.7;user-select:none}
.line .note{color:var(--wrong);font-size:inherit;font-style:normal}
.token{position:relative}
.token.wrong{text-decoration:underline wavy var(--wrong) 1.5px;text-underline-offset:3px;
  background:var(--wrong-back);border-radius:3px}
.token[data-tip]:hover::after,.token[data-tip]:focus::after{content:attr(data-tip);position:absolute;
  left:0;top:1.5em;z-index:2;padding:.1rem .5rem;border-radius:6px;white-space:nowrap;
  background:var(--ink);color:var(--paper);font:600 12px/1.6 system-ui,sans-serif}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;max-width:none;font-size:.86rem;margin:0}
.calls td{white-space:nowrap;padding-top:.55rem;padding-bottom:.55rem}
.calls code{font-size:13px}
.calls .where{display:block;font-size:.78rem}
.calls .key{color:var(--both);font-size:1.2em}
.unread{color:transparent;border-radius:3px;background:repeating-linear-gradient(135deg,
  var(--line) 0 3px,transparent 3px 6px)}
.no{color:var(--wrong);font-weight:600}
.yes{color:var(--right);font-weight:600}
.proof{padding:.7rem 1rem;border-left:4px solid var(--both);background:var(--panel);max-width:none}
"""

_PICTURES = """
dl{margin:0;font-size:.88rem;line-height:1.35}
dt{color:var(--soft);font-size:.8rem;margin-top:.35rem}
dd{margin:0;font-weight:600}
.maps svg{max-width:420px}
.curve.forward polyline{stroke:var(--forward)}
.curve.forward polygon,svg .curve.forward text{fill:var(--forward)}
.curve.bidirectional polyline{stroke:var(--both)}
.curve.bidirectional circle,svg .curve.bidirectional text{fill:var(--both)}
.bars rect{fill:var(--both)}
"""

_NARROW = """
@media (max-width:760px){body{padding:1.4rem 1rem 2rem}.pair{grid-template-columns:minmax(0,1fr)}
.row{grid-template-columns:5rem minmax(0,1fr);gap:.2rem .8rem}.row .number{font-size:1.25rem}
.row .share{grid-column:1/-1;height:12px}.headline{padding:1rem}}
"""

_PRINT = """
@media print{body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}
tr,figure{break-inside:avoid}pre{white-space:pre-wrap;padding-bottom:.8rem}
.scroll{overflow:visible}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def page_style() -> str:
    """Return the style sheet of a page."""
    light = declared(LIGHT | {family.name: family.light for family in FAMILIES})
    dark = declared(DARK | {family.name: family.dark for family in FAMILIES})
    # Paper is light, whatever the screen is.
    schemes = f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    looks = "".join(
        f".token.{family.name}{{color:var(--{family.name});{family.css}}}" for family in FAMILIES
    )
    sheets = (schemes, _LAYOUT, _TABLES, _SOURCE, looks, _PICTURES, picture_sheet())
    return "".join((*sheets, _NARROW, _PRINT))
