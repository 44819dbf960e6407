"""How the page looks: two sets of colours and the rules that use them. No font and no image is fetched."""

from __future__ import annotations

COLOURS = (
    "--paper:#fcfcfa;--card:#fff;--ink:#16181d;--soft:#5a606c;--line:#e3e4e0;--model:#1f5fbf;--five:#c9822b;"
    "--xz:#a5a9b1"
)
DARK = (
    "--paper:#14161a;--card:#1b1e24;--ink:#eceef1;--soft:#a2a8b4;--line:#31353d;--model:#6ea5f8;--five:#dba25a;"
    "--xz:#6b717d"
)
CHART_RULES = (
    ".chart text{font-size:12.5px;fill:var(--ink)}.chart .name{font-weight:600;font-size:13px}"
    ".chart .tick{fill:var(--soft);font-size:12px}.chart .figure{font-variant-numeric:tabular-nums}"
    ".chart .title{font-size:16px;font-weight:650}.chart .strong{font-weight:700;fill:var(--model)}"
    ".chart .model{fill:var(--model)}.chart .five{fill:var(--five)}"
    ".chart .xz{fill:var(--xz)}.chart .grid{stroke:var(--line)}"
    ".chart .mark{stroke:var(--soft);stroke-dasharray:4 4}"
    ".chart .line{fill:none;stroke:var(--model);stroke-width:2.4;stroke-linejoin:round}"
    ".chart .faint{fill:none;stroke:var(--model);stroke-width:1;opacity:.28}"
)
PAGE_RULES = """
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","Noto Sans CJK JP",sans-serif}
main{max-width:920px;margin:0 auto;padding:40px 20px 80px}
h1{font-size:clamp(1.7rem,5vw,2.5rem);line-height:1.15;margin:0 0 .4em;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:1.28rem;margin:0 0 .3em;letter-spacing:-.01em}
h3{font-size:1rem;margin:1.4em 0 .3em}
p{margin:.4em 0 .9em;max-width:68ch}
.kicker{color:var(--soft);font-size:.9rem;margin:0 0 .6em}
.lead{font-size:1.12rem}
.soft,.note{color:var(--soft)}
.note{font-size:.9rem}
section{margin-top:22px;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:22px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin:26px 0 0;padding:0}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 16px}
.tiles dt{color:var(--soft);font-size:.85rem}
.tiles dd{margin:0;font-size:1.45rem;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.chart{display:block;overflow:visible;margin:14px 0 4px}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;padding:0;margin:12px 0 0;font-size:.9rem}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px;background:var(--c)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(340px,100%),1fr));gap:6px 28px}
.wide{overflow-x:auto;margin:.6em -4px}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:6px 10px 6px 4px;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:550}
td.n,th.n{text-align:right;white-space:nowrap}
details{margin-top:10px}
summary{cursor:pointer;color:var(--soft);font-size:.9rem}
code,pre{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{overflow-wrap:anywhere}
pre{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:12px 14px;overflow-x:auto}
blockquote{margin:14px 0;padding:2px 0 2px 16px;border-left:3px solid var(--line)}
blockquote p{margin:.2em 0;max-width:none;overflow-wrap:anywhere;white-space:pre-wrap}
blockquote mark{background:none;color:var(--model);font-weight:520}
blockquote footer{color:var(--soft);font-size:.85rem}
footer.end{color:var(--soft);font-size:.9rem;margin-top:30px}
:focus-visible{outline:2px solid var(--model);outline-offset:2px}
@media(max-width:520px){main{padding:24px 12px 56px}section{padding:16px 14px}}
@media print{section,.tiles div{break-inside:avoid}}
"""

STYLE = f":root{{{COLOURS}}}@media(prefers-color-scheme:dark){{:root{{{DARK}}}}}{PAGE_RULES}{CHART_RULES}"
