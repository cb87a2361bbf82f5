// The cards and what they show: the panes of the value, in the layout that the page chose.
const MOST_DENSITY = 2; // pixels of a canvas a px of the page: more cannot be seen, and costs

const choices = { layout: null, mesh: "full", shading: "smooth", wireframe: false, colours: "plain" };
const grid = element.querySelector(".panes");
const cards = Array.from(grid.querySelectorAll(".pane"), (card) => ({
  card,
  plot: card.querySelector(".plot"),
  canvas: card.querySelector("canvas"),
  title: card.querySelector("h3"),
  bar: card.querySelector(".colour-bar"),
  caption: card.querySelector(".caption"),
  models: {}, // what is on the graphics card, by mesh
  pane: null,
}));
// Null before the first value, then {person, panes (by name), layouts, lab}.
let scene = null;

const takePane = (sent) => ({
  name: sent.name, title: sent.title, sentence: sent.sentence, colour: sent.colour, opacity: sent.opacity,
  alwaysShaded: sent.always_shaded,
  raw: sent.raw && unpack(sent.raw, Float32Array),
  template: unpack(sent.vertices, Float32Array), // as it stands now
  surfaces: {}, // the same by mesh, ready to be drawn; made when they are wanted
  shade: sent.shade && { ...sent.shade, values: unpack(sent.shade.values, Float32Array) },
  skeletons: sent.skeletons.map((one) => ({ ...one, joints: unpack(one.joints, Float32Array) })),
});
const move = (pane, template) => Object.assign(pane, { template, surfaces: {} });
// {points, normals, values} of a pane; another object whenever anything of it changed.
const surfaceOf = (pane, mesh = choices.mesh) => {
  if (!pane.surfaces[mesh]) {
    const isFull = mesh === "full";
    const points = isFull ? upsample(pane.template) : pane.template;
    const values = pane.shade && (isFull ? spread(pane.shade.values) : pane.shade.values);
    pane.surfaces[mesh] = { points, values, normals: normalsOf(points, meshes[mesh].faces) };
  }
  return pane.surfaces[mesh];
};
const isShaded = (pane) => Boolean(pane.shade) && (pane.alwaysShaded || choices.colours === "error");
const lookOf = (pane) => ({
  kind: isShaded(pane) ? "heat" : choices.colours === "parts" ? "parts" : "plain",
  colour: pane.colour, limit: pane.shade?.limit ?? 1,
  isFlat: choices.shading === "flat", wireframe: choices.wireframe,
});

const currentLayout = () => scene.layouts.find(({ name }) => name === choices.layout) ?? scene.layouts[0];
const shownCards = () => cards.filter(({ pane }) => pane);
// Width over height of the panes, or of the narrowest where they differ; 1 in a closed tab.
const aspect = () => {
  const shapes = cards.map(({ plot }) => plot.clientWidth / plot.clientHeight).filter((shape) => shape > 0);
  return shapes.length ? Math.min(...shapes) : 1;
};
const ticksOf = (limit, count) =>
  Array.from({ length: count }, (_, index) => {
    const value = +((limit * index) / (count - 1)).toPrecision(3);
    return `${value}${index === count - 1 ? " mm" : ""}`;
  });
const labelOf = (pane) => {
  const bones = pane.skeletons.length ? `, with the skeletons ${pane.skeletons.map(({ name }) => name).join(" and ")}` : "";
  return `${pane.title} in 3D${bones}: arrow keys turn, plus and minus zoom, Home resets, Enter reads a vertex, Escape forgets it`;
};

const showBar = ({ bar, pane }) => {
  bar.classList.toggle("shown", Boolean(pane) && isShaded(pane));
  if (!pane?.shade) return;
  const { limit, title } = pane.shade;
  bar.ariaLabel = `${title}: colours from 0 to ${limit} mm`;
  bar.querySelector(".bar-title").textContent = title;
  const ticks = bar.querySelectorAll(".ticks span");
  ticksOf(limit, ticks.length).forEach((text, index) => { ticks[index].textContent = text; });
};
// Puts the layout's panes on the cards.
const dealPanes = () => {
  const layout = currentLayout();
  const panes = layout.panes.map((name) => scene.panes.get(name));
  grid.dataset.count = panes.length;
  grid.ariaLabel = layout.title;
  // The bar's place is kept for every card where one card may need it: then nothing jumps with the colours.
  grid.classList.toggle("with-bars", panes.some(({ shade }) => shade));
  cards.forEach((slot, index) => {
    slot.pane = panes[index] ?? null;
    slot.card.hidden = !slot.pane;
    if (!slot.pane) return;
    slot.card.dataset.view = slot.pane.name;
    slot.title.textContent = slot.pane.title;
    if (slot.caption.innerHTML !== slot.pane.sentence) slot.caption.innerHTML = slot.pane.sentence;
    slot.plot.ariaLabel = labelOf(slot.pane);
    showBar(slot);
  });
};

// Draws a pane on a pen whose unit is a px of the page, at `density` pixels a px.
const paintPane = (pen, slot, view, density, ink) => {
  const { pane, models } = slot;
  const surface = surfaceOf(pane);
  const model = (models[choices.mesh] ??= makeModel(choices.mesh));
  load(model, surface);
  const [width, height] = [Math.round(view.width * density), Math.round(view.height * density)];
  paintModel(model, view, lookOf(pane), width, height);
  // The sheet holds the foremost surface alone, so this is the same as a translucent surface without its inside.
  pen.globalAlpha = pane.opacity;
  pen.drawImage(sheet, 0, 0, width, height, 0, 0, view.width, view.height);
  pen.globalAlpha = 1;
  paintOverlay(pen, pane, view, ink);
};
const paintCard = (slot) => {
  const { canvas } = slot;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return; // in a closed tab
  const density = Math.min(window.devicePixelRatio || 1, MOST_DENSITY);
  const [across, down] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  const pen = canvas.getContext("2d");
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, width, height);
  const styles = getComputedStyle(slot.card);
  paintPane(pen, slot, viewOf(width, height), density, { text: styles.color, ground: styles.backgroundColor });
};
