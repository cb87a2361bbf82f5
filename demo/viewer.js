// Draws the linked 3D view. Gradio runs this once with `element`, `props` and `watch`.
const NAMES = ["raw", "regularised", "heat"];
const COLOURS = { raw: "#d9a282", regularised: "#8ecae6" };
const TITLES = { truth: "Error against ground truth", moved: "Moved by the regulariser" };
// The camera frame has y down and z away from the viewer: look along +z, with -y up.
const UP = { x: 0, y: -1, z: 0 };
const DIRECTIONS = { front: [0, 0, -1], side: [1, 0, 0], back: [0, 0, 1], top: [0, -1, -0.01] };
const HALF_VIEW = Math.tan(Math.PI / 8); // Plotly's camera sees 45 degrees from top to bottom.
const LIGHT = {
  surface: { ambient: 0.42, diffuse: 0.75, specular: 0.12, roughness: 0.7, fresnel: 0.08 },
  heat: { ambient: 0.82, diffuse: 0.25, specular: 0.02, roughness: 0.9, fresnel: 0.02 },
};
const CONFIG = { displayModeBar: false, responsive: true, displaylogo: false, scrollZoom: true };

const unpack = (text, Type) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Type(bytes.buffer);
};
const thirds = (flat) => {
  const count = flat.length / 3;
  return [0, 1, 2].map((row) => flat.subarray(row * count, (row + 1) * count));
};

const meshes = Object.fromEntries(
  ["full", "template"].map((name) => [name, {
    faces: thirds(unpack(props.surfaces[name].faces, Uint16Array)),
    parts: Array.from(unpack(props.surfaces[name].parts, Uint8Array), (id) => props.surfaces.part_names[id]),
  }])
);
const plots = Object.fromEntries(
  NAMES.map((name) => [name, element.querySelector(`[data-view=${name}] .plot`)])
);
let mesh = "full";
let shown = null; // the cube that is shown, as text: a new one is a new person
let current = null;
let follower = 0;

// Far enough for the whole mesh to fit the card, whichever of its sides is the narrower.
const camera = (name) => {
  const [x, y, z] = DIRECTIONS[name];
  const [width, height, depth] = props.value ? props.value.extent : [1, 1, 1];
  const size = { front: [width, height, depth], back: [width, height, depth], side: [depth, height, width],
    top: [width, depth, height] }[name];
  const plot = plots.raw.getBoundingClientRect();
  const aspect = plot.height ? plot.width / plot.height : 1;
  const far = Math.max(size[1], size[0] / aspect) / 2 / HALF_VIEW + size[2] / 2;
  const up = name === "top" ? { x: 0, y: 0, z: 1 } : UP;
  return { eye: { x: x * far, y: y * far, z: z * far }, up, center: { x: 0, y: 0, z: 0 } };
};

const trace = (name, points, drawn) => {
  const [x, y, z] = thirds(points);
  const [i, j, k] = meshes[mesh].faces;
  const isHeat = name === "heat";
  const shared = {
    type: "mesh3d", x, y, z, i, j, k, text: meshes[mesh].parts, showscale: false,
    flatshading: mesh === "template",
    lighting: { ...LIGHT[isHeat ? "heat" : "surface"], vertexnormalsepsilon: 0, facenormalsepsilon: 0 },
    lightposition: { x: -1e3, y: -2e3, z: -4e3 },
    hovertemplate: isHeat
      ? "%{text}<br>%{intensity:.1f} mm<extra></extra>"
      : "%{text}<br>x %{x:.3f}, y %{y:.3f}, z %{z:.3f} m<extra></extra>",
  };
  if (!isHeat) return { ...shared, color: COLOURS[name] };
  return {
    ...shared, intensity: unpack(drawn[mesh].heat, Float32Array), colorscale: props.surfaces.colour_scale,
    cmin: 0, cmax: drawn.limit,
  };
};

const layout = (drawn) => {
  const axis = (index) => ({
    visible: false, autorange: false,
    range: [drawn.centre[index] - drawn.half, drawn.centre[index] + drawn.half],
  });
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", dragmode: "orbit",
    hoverlabel: { bgcolor: "#0f172a", bordercolor: "#0f172a", font: { color: "#f8fafc", size: 12 } },
    scene: {
      xaxis: axis(0), yaxis: axis(1), zaxis: axis(2), camera: current,
      aspectmode: "cube", bgcolor: "rgba(0,0,0,0)", dragmode: "orbit",
    },
  };
};

// One camera: whoever is being turned leads, the others follow, at most once a frame.
const lead = (leader, next) => {
  current = next;
  if (follower) return;
  follower = requestAnimationFrame(() => {
    follower = 0;
    for (const plot of Object.values(plots)) {
      if (plot !== leader && plot.data) Plotly.relayout(plot, { "scene.camera": current });
    }
  });
};
const link = (plot) => {
  const onMove = (change) => {
    const next = change["scene.camera"];
    if (next && JSON.stringify(next) !== JSON.stringify(current)) lead(plot, next);
  };
  plot.on("plotly_relayouting", onMove);
  plot.on("plotly_relayout", onMove);
};

const draw = async () => {
  const drawn = props.value;
  if (!drawn || !window.Plotly) return;
  const start = performance.now();
  const raw = unpack(drawn[mesh].raw, Float32Array);
  const regularised = unpack(drawn[mesh].regularised, Float32Array);
  const cube = JSON.stringify([drawn.centre, drawn.half]);
  if (cube !== shown) current = camera("front");
  shown = cube;
  for (const name of NAMES) {
    const plot = plots[name];
    const isNew = !plot.data;
    await Plotly.react(plot, [trace(name, name === "raw" ? raw : regularised, drawn)], layout(drawn), CONFIG);
    if (isNew) link(plot);
  }
  const heat = element.querySelector("[data-view=heat]");
  heat.querySelector("h3").textContent = TITLES[drawn.kind];
  heat.querySelector(".caption").textContent = drawn.sentence;
  const ticks = heat.querySelectorAll(".ticks span");
  ticks.forEach((tick, index) => {
    const value = +((drawn.limit * index) / (ticks.length - 1)).toPrecision(3);
    tick.textContent = `${value}${index === ticks.length - 1 ? " mm" : ""}`;
  });
  element.dataset.drawMs = Math.round(performance.now() - start);
  element.dataset.draws = Number(element.dataset.draws || 0) + 1;
};

const canvas = document.createElement("canvas");
if (canvas.getContext("webgl2") || canvas.getContext("webgl")) {
  watch("value", draw);
  draw();
} else {
  for (const plot of Object.values(plots)) plot.textContent = "This browser has no WebGL, which the 3D view needs.";
}
for (const button of element.querySelectorAll("[data-camera]")) {
  button.addEventListener("click", () => lead(null, camera(button.dataset.camera)));
}
for (const button of element.querySelectorAll("[data-mesh]")) {
  button.addEventListener("click", () => {
    mesh = button.dataset.mesh;
    for (const other of element.querySelectorAll("[data-mesh]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    draw();
  });
}
