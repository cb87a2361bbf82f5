// The legend of the parts: their shares; a row that is pointed at or focused lights its part up.
const legend = element.querySelector(".part-legend");
let rows = Array.from(legend.querySelectorAll("[data-part]"));
const sharesLine = element.querySelector(".shares");
let hoveredRow = 0;
let focusedRow = 0;

const partOf = (row) => Number(row.dataset.part);
const markRows = () => {
  for (const row of rows) {
    row.classList.toggle("lit", partOf(row) === (lit || pointedPart));
    row.ariaSelected = String(partOf(row) === lit);
  }
};
const lightUp = () => {
  const chosen = hoveredRow || focusedRow;
  if (chosen === lit) return;
  lit = chosen;
  markRows();
  repaint("parts");
};
const fillLegend = () => {
  const counts = countParts();
  const total = Math.max(1, counts.slice(1).reduce((sum, count) => sum + count, 0));
  for (const row of rows) {
    const share = (100 * counts[partOf(row)]) / total;
    row.querySelector("b").textContent = !share ? "–" : share < 1 ? "<1%" : `${Math.round(share)}%`;
    row.classList.toggle("absent", !share);
  }
  const whose = labelChoice() === "true" ? "Each true part's share" : "Each part's share";
  let agreement = "";
  if (scene.trueLabels) {
    const { right, wrong, missed, extra } = countOutcomes();
    const share = (100 * right) / Math.max(1, right + wrong + missed + extra);
    agreement = ` ${Math.round(share)}% of them carry their true part.`;
  }
  sharesLine.textContent = `${whose} of the ${bodyShown().one}'s pixels.${agreement}`;
};
// Another body has other parts: its rows in the place of those that stand there.
const makeLegend = () => {
  const { part_names: names, part_colours: colours, one, parts } = bodyShown();
  legend.ariaLabel = `${capitalised(parts)} and their share of the ${one}: the chosen one lights up in the picture`;
  rows = names.slice(1).map((name, index) => {
    const row = rows[0].cloneNode(true);
    row.className = "";
    row.dataset.part = index + 1;
    row.tabIndex = index ? -1 : 0;
    row.querySelector("i").style.background = colours[index + 1];
    row.querySelector("span").textContent = name;
    return row;
  });
  legend.replaceChildren(...rows);
  [hoveredRow, focusedRow, lit] = [0, 0, 0];
  controlLegend();
};
const controlLegend = () => {
  const focus = (row) => {
    for (const other of rows) other.tabIndex = other === row ? 0 : -1;
    row.focus();
  };
  rows.forEach((row, index) => {
    row.addEventListener("pointerenter", () => { hoveredRow = partOf(row); lightUp(); });
    row.addEventListener("pointerleave", () => { hoveredRow = 0; lightUp(); });
    row.addEventListener("focus", () => { focusedRow = partOf(row); lightUp(); });
    row.addEventListener("blur", () => { focusedRow = 0; lightUp(); });
    row.addEventListener("click", () => focus(row));
    row.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      const target = step ? rows[(index + step + rows.length) % rows.length]
        : { Home: rows[0], End: rows[rows.length - 1] }[event.key];
      if (event.key === "Escape") row.blur();
      if (!target) return;
      event.preventDefault();
      focus(target);
    });
  });
};
