// Searches while the reader types: counts and marks the matches, shows them below the lanes, and goes through them.
const query = byId("query");
const found = byId("found");
let index = null;
let matches = [];
let current = -1;

// Folding a long meeting takes a moment: the first search does it once.
function indexed() {
  index ??= lines.map((line) => [...line.querySelectorAll("p[lang]")].map((cell) => {
    cell.normalize(); // a parser cuts very long texts into several nodes
    return [cell, fold(cell.textContent)];
  }));
  return index;
}

function search() {
  const needle = fold(query.value).trim();
  const ranges = [];
  matches = [];
  current = -1;
  if (needle) {
    indexed().forEach((cells, place) => {
      const hits = cells.filter(([cell, text]) => !cell.parentElement.hidden && text.includes(needle));
      if (hits.length === 0) return;
      matches.push(lines[place]);
      for (const [cell] of hits) {
        const node = cell.firstChild;
        for (const [start, end] of placesOf(needle, node.data)) {
          ranges.push(new StaticRange({ startContainer: node, startOffset: start, endContainer: node, endOffset: end }));
        }
      }
    });
  }
  mark(ranges);
  report(needle);
}

// Marks the places without changing the document; a browser without highlights still finds and counts.
function mark(ranges) {
  if ("highlights" in CSS) {
    const highlight = new Highlight();
    for (const range of ranges) highlight.add(range);
    CSS.highlights.set("found", highlight);
  }
  if (!lanes) return;
  const at = matches.filter((line) => line.dataset.t !== undefined).map((line) => 1000 * share(Number(line.dataset.t)));
  byId("hits").setAttribute("d", at.map((x) => `M${(x - 0.7).toFixed(2)} 0h1.4v1h-1.4z`).join(""));
}

function report(needle) {
  byId("next").disabled = byId("previous").disabled = matches.length === 0;
  if (!needle) found.value = "";
  else if (matches.length === 0) found.value = "no match";
  else found.value = current < 0 ? `${matches.length} found` : `${current + 1} of ${matches.length}`;
}

// Starts at the reader's line, which may have changed since the last step.
function step(by) {
  if (matches.length === 0) return;
  if (current < 0) {
    const from = Math.max(lines.indexOf(here), 0);
    const next = matches.findIndex((line) => lines.indexOf(line) >= from);
    current = by > 0 ? Math.max(next, 0) : (next < 0 ? matches.length : next) - 1;
  } else {
    current += by;
  }
  current = (current + matches.length) % matches.length;
  goTo(matches[current]);
  report(true);
}

query.addEventListener("input", search);
byId("search").addEventListener("submit", (event) => { event.preventDefault(); step(1); });
byId("previous").addEventListener("click", () => step(-1));
query.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); step(-1); }
  if (event.key === "Escape") { query.value = ""; search(); }
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  event.preventDefault();
  query.focus();
  query.select();
});
