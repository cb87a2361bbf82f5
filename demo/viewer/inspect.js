// Reading a vertex: which one lies under the pointer, and what there is to say about it.
const readout = element.querySelector(".readout");
const HINT = readout.innerHTML;
const HIDDEN_BY = 0.012; // m that a surface lies before a vertex that it hides; less is its own face
const HIDDEN_SHARE = 0.02; // the same of a small thing, such as a hand, as a share of its longest side

// Null, or {mesh, vertex (of that mesh), template (the network's nearest one), pane (pointed at), isPinned}.
let mark = null;
let showsNeighbourhood = false;

// The nearest triangle at a place of a pane, px: {face, depth}, or null beside the surface.
const faceAt = (pane, view, [x, y]) => {
  const { points } = surfaceOf(pane);
  const { faces, count } = meshes[choices.mesh];
  const [across, down, nearness] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const { right, up, towards, centre } = view;
  for (let vertex = 0, at = 0; vertex < count; vertex++, at += 3) {
    const [dx, dy, dz] = [points[at] - centre[0], points[at + 1] - centre[1], points[at + 2] - centre[2]];
    const depth = view.distance - (towards[0] * dx + towards[1] * dy + towards[2] * dz);
    const scale = view.focal / depth;
    nearness[vertex] = 1 / depth; // linear across a triangle on the screen, unlike the depth itself
    across[vertex] = view.width / 2 + scale * (right[0] * dx + right[1] * dy + right[2] * dz) - x;
    down[vertex] = view.height / 2 - scale * (up[0] * dx + up[1] * dy + up[2] * dz) - y;
  }
  let [best, nearest] = [-1, 0];
  for (let at = 0; at < faces.length; at += 3) {
    const [a, b, c] = [faces[at], faces[at + 1], faces[at + 2]];
    // Twice the areas of the triangles from the place to each side: all of one sign inside.
    const wa = across[b] * down[c] - across[c] * down[b];
    const wb = across[c] * down[a] - across[a] * down[c];
    const wc = across[a] * down[b] - across[b] * down[a];
    const isInside = (wa >= 0 && wb >= 0 && wc >= 0) || (wa <= 0 && wb <= 0 && wc <= 0);
    const area = wa + wb + wc;
    if (!isInside || !area) continue;
    const near = (wa * nearness[a] + wb * nearness[b] + wc * nearness[c]) / area;
    // Before the eye alone: a vertex behind it would be seen mirrored.
    if (near > nearest && Math.min(nearness[a], nearness[b], nearness[c]) > 0) [best, nearest] = [at / 3, near];
  }
  return best < 0 ? null : { face: best, depth: 1 / nearest };
};
const isHidden = (pane, view, [x, y, depth]) => {
  const before = faceAt(pane, view, [x, y]);
  return Boolean(before) && before.depth < depth - Math.min(HIDDEN_BY, HIDDEN_SHARE * shown.side);
};
const seenDistance = (pane, view, vertex, place) => {
  const [x, y] = project(view, pointOf(surfaceOf(pane).points, vertex));
  return Math.hypot(x - place[0], y - place[1]);
};
const nearestSeen = (pane, view, vertices, place) => {
  const distances = Array.from(vertices, (vertex) => seenDistance(pane, view, vertex, place));
  return vertices[distances.indexOf(Math.min(...distances))];
};
// The corner nearest to the place, of the face that lies there; null beside the surface.
const vertexAt = (pane, view, place) => {
  const found = faceAt(pane, view, place);
  if (!found) return null;
  return nearestSeen(pane, view, meshes[choices.mesh].faces.subarray(3 * found.face, 3 * found.face + 3), place);
};
// In the middle of a pane there may be no surface: then any vertex that is seen near it does.
const vertexAtMiddle = (pane, view) => {
  const middle = [view.width / 2, view.height / 2];
  return vertexAt(pane, view, middle)
    ?? nearestSeen(pane, view, Array.from({ length: meshes[choices.mesh].count }, (_, vertex) => vertex), middle);
};

const escaped = (text) => {
  const node = document.createElement("span");
  node.textContent = text;
  return node.innerHTML;
};
const metres = (value) => value.toFixed(3).replace("-", "−");
const millimetres = (value) => `${(1000 * value).toFixed(1)} mm`;
const grouped = (count) => count.toLocaleString("en-GB");
const stepOf = (points, rings, vertex) =>
  distanceBetween(pointOf(points, vertex), ringMean(points, ringOf(rings, vertex)));

const factsOf = (mesh, vertex, points, pane) => {
  const values = shownCards().filter((slot) => slot.pane.shade).map((slot) => {
    const value = surfaceOf(slot.pane, mesh.name).values[vertex];
    return `${escaped(slot.pane.title)}: <b>${value.toFixed(1)} mm</b>`;
  });
  const place = pointOf(points, vertex).map(metres);
  return [
    `<b>${escaped(body.part_names[mesh.parts[vertex]])}</b>`,
    `vertex ${grouped(vertex)} of ${grouped(mesh.count)}`,
    `x ${place[0]}, y ${place[1]}, z ${place[2]} m in ${escaped(pane.title)}`,
    `${millimetres(stepOf(points, mesh.rings, vertex))} from its neighbours’ mean`,
    ...values,
  ];
};
const formulaOf = (pane) => {
  const [alpha, back] = stepsOf(scene.lab);
  const { rings } = meshes.template;
  const moves = Math.abs(alpha) * stepOf(pane.template, rings, mark.template);
  const again = back === undefined ? "" : `, then back with α = ${back.toFixed(2).replace("-", "−")}`;
  const off = scene.lab.enabled && scene.lab.iterations > 0 ? "" : " if it were on";
  return (
    "<var>v<sub>i</sub></var> ← (1 − <var>α</var>) <var>v<sub>i</sub></var> + <var>α</var> · mean(<var>v<sub>j</sub></var>) "
    + `with ${ringOf(rings, mark.template).length} neighbours <var>j</var> and <var>α</var> = ${alpha.toFixed(2)}${again}: `
    + `once more would move it ${millimetres(moves)}${off}`
  );
};
const say = (words) => {
  if (readout.dataset.said === words) return; // else it would be read aloud again
  readout.dataset.said = words;
  readout.innerHTML = words;
};
const tell = () => {
  // What the mouse brushes over is not read aloud, what was chosen is.
  readout.ariaLive = mark?.isPinned ? "polite" : "off";
  if (!mark) return say(HINT);
  const name = showsNeighbourhood ? "template" : choices.mesh;
  const vertex = showsNeighbourhood ? mark.template : mark.vertex;
  const facts = factsOf(meshes[name], vertex, surfaceOf(mark.pane, name).points, mark.pane);
  if (showsNeighbourhood) facts.push(formulaOf(mark.pane));
  return say(facts.map((fact) => `<span>${fact}</span>`).join(" "));
};

const markVertex = (pane, vertex, isPinned) => {
  const isTemplate = choices.mesh === "template";
  const template = isTemplate ? vertex : nearestTo(pane.template, pointOf(surfaceOf(pane).points, vertex));
  mark = { mesh: choices.mesh, vertex, template, pane, isPinned };
  tell();
  repaint();
};
const forget = () => {
  if (!mark) return;
  mark = null;
  tell();
  repaint();
};
// The vertex stays marked when the value, the layout or the mesh changes: on another mesh as the nearest one.
const keepMark = () => {
  if (!mark) return;
  const panes = shownCards().map((slot) => slot.pane);
  const pane = panes.find(({ name }) => name === mark.pane.name) ?? panes[0];
  let { vertex } = mark;
  if (choices.mesh !== mark.mesh) {
    vertex = choices.mesh === "template" ? mark.template
      : nearestTo(surfaceOf(pane).points, pointOf(pane.template, mark.template));
  }
  mark = { ...mark, mesh: choices.mesh, vertex, pane };
  tell();
};
