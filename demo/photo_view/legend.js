// The legend of the 24 parts: their shares; a row that is pointed at or focused lights its part up.
const legend = element.querySelector(".part-legend");
const rows = Array.from(legend.querySelectorAll("[data-part]"));
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
  sharesLine.textContent = `${whose} of the person's pixels.${agreement}`;
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
