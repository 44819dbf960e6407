"""What the page has beyond other pages: marks for what changed, a field to search each table, a few lines of script."""

from __future__ import annotations

RULES = """
:root{--gone:#b3261e;--gone-paper:#fbe9e7;--new:#146c2e;--new-paper:#e3f4e6;--held:#7a4d00;--held-paper:#fdf0d2}
@media(prefers-color-scheme:dark){:root{--gone:#ffb4ab;--gone-paper:#4a1f1c;--new:#9fd8a8;--new-paper:#17391f;
--held:#f3c779;--held-paper:#43310f}}
nav{margin:18px 0 0;display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.92rem}
a{color:var(--model)}
.diff{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5em 0;max-height:26em;overflow-y:auto}
.diff del{background:var(--gone-paper);color:var(--gone)}
.diff ins{background:var(--new-paper);color:var(--new)}
.diff mark{background:var(--held-paper);color:var(--held);border-radius:3px}
.diff i{color:var(--soft);font-style:normal}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:4px 14px}
.two h4{margin:.4em 0 0;font-size:.88rem;font-weight:550;overflow-wrap:anywhere}
.find{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;margin:10px 0 0;font-size:.9rem}
.find input{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:8px;
padding:6px 10px;min-width:0;flex:1 1 220px}
.find[hidden],tr[hidden]{display:none}
td{overflow-wrap:anywhere;min-width:4.5em}
td.n{min-width:0}
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-align:inherit}
th button:hover,th button:focus-visible{color:var(--model)}
.long{max-height:32em;overflow:auto}
.long thead th{position:sticky;top:0;background:var(--card)}
.examples{margin:.3em 0 0;padding:0;list-style:none}
.examples li{margin:.5em 0;overflow-wrap:anywhere}
.examples q{display:block;color:var(--soft);white-space:pre-wrap;quotes:none;border-left:3px solid var(--line);
padding-left:10px;margin-top:.2em}
"""

# Without it every table is there in full; with it each can be searched and sorted. It only hides and moves rows and
# writes numbers: nothing of a document ever becomes markup here. `#NAME=words` in the address fills a field.
SCRIPT = """
"use strict";
for (const find of document.querySelectorAll(".find")) {
  const field = find.querySelector("input"), told = find.querySelector("output");
  const table = document.getElementById(find.dataset.for), rows = [...table.tBodies[0].rows];
  const texts = rows.map(row => row.textContent.toLowerCase());
  const search = () => {
    const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, place) => {
      row.hidden = !words.every(word => texts[place].includes(word));
      shown += !row.hidden;
    });
    told.textContent = `${shown} of ${rows.length}`;
  };
  for (const [place, cell] of [...table.tHead.rows[0].cells].entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    cell.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = cell.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = row => row.cells[place].textContent;
      const number = row => parseFloat(value(row).replace(/,/g, ""));
      const figures = cell.classList.contains("n");
      const order = (one, other) => figures ? number(one) - number(other) : value(one).localeCompare(value(other));
      table.tBodies[0].append(...rows.slice().sort((one, other) => down ? order(other, one) : order(one, other)));
    });
  }
  const asked = new RegExp(`[#&]${find.dataset.for}=([^&]*)`).exec(location.hash);
  if (asked) try { field.value = decodeURIComponent(asked[1]); } catch { }
  field.addEventListener("input", search);
  find.hidden = false;
  search();
}
"""
