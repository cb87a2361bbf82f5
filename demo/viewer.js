// Draws the linked 3D view. Gradio runs this once with `element`, `props` and `watch`.
//
// There is one camera, held here as yaw, pitch, distance and centre, and every view is told of it: plotly's
// own mouse control is off, since each plot would keep a camera of its own and tell of its wheel too early.
const NAMES = ["raw", "regularised", "heat"];
const COLOURS = { raw: "#d9a282", regularised: "#8ecae6" };
const TITLES = { truth: "Error against ground truth", moved: "Moved by the regulariser" };
const LIGHT = {
  surface: { ambient: 0.42, diffuse: 0.75, specular: 0.12, roughness: 0.7, fresnel: 0.08 },
  heat: { ambient: 0.82, diffuse: 0.25, specular: 0.02, roughness: 0.9, fresnel: 0.02 },
};
const STANDPOINTS = { front: [0, 0], side: [Math.PI / 2, 0], back: [Math.PI, 0], top: [0, 1.55] };
const STEEPEST = 1.55; // radians; straight from above, left and right would be undefined
const HALF_VIEW = Math.tan(Math.PI / 8); // plotly's camera sees 45 degrees from top to bottom
const NEAREST = 0.25;
const FARTHEST = 8;

const unpack = (text, Type) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Type(bytes.buffer);
};
const thirds = (flat) => {
  const count = flat.length / 3;
  return [0, 1, 2].map((row) => flat.subarray(row * count, (row + 1) * count));
};
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const meshes = Object.fromEntries(
  ["full", "template"].map((name) => [name, {
    faces: thirds(unpack(props.surfaces[name].faces, Uint16Array)),
    parts: Array.from(unpack(props.surfaces[name].parts, Uint8Array), (id) => props.surfaces.part_names[id]),
  }])
);
const plots = Object.fromEntries(
  NAMES.map((name) => [name, element.querySelector(`[data-view=${name}] .plot`)])
);
const camera = { yaw: 0, pitch: 0, distance: 1.5, centre: [0, 0, 0] };
let mesh = "full";
let shown = null; // the cube that is shown, as text: a new one is a new person
let waiting = 0;

// The camera frame has y down and z away from the viewer: from the front one looks along +z, with -y up.
const axes = () => {
  const [sinYaw, cosYaw] = [Math.sin(camera.yaw), Math.cos(camera.yaw)];
  const [sinPitch, cosPitch] = [Math.sin(camera.pitch), Math.cos(camera.pitch)];
  return {
    towards: [sinYaw * cosPitch, -sinPitch, -cosYaw * cosPitch],
    right: [cosYaw, 0, sinYaw],
    up: [-sinYaw * sinPitch, -cosPitch, cosYaw * sinPitch],
  };
};
const plotlyCamera = () => {
  const { towards } = axes();
  const [eye, center] = [(i) => camera.centre[i] + camera.distance * towards[i], (i) => camera.centre[i]].map(
    (at) => ({ x: at(0), y: at(1), z: at(2) })
  );
  return { eye, center, up: { x: 0, y: -1, z: 0 } };
};
const showCamera = () => {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    for (const plot of Object.values(plots)) {
      if (plot.data) Plotly.relayout(plot, { "scene.camera": plotlyCamera() });
    }
  });
};

const stand = (name) => {
  [camera.yaw, camera.pitch] = STANDPOINTS[name];
  camera.centre = [0, 0, 0];
  const [width, height, depth] = props.value ? props.value.extent : [1, 1, 1];
  const [across, upright, along] = {
    front: [width, height, depth], back: [width, height, depth],
    side: [depth, height, width], top: [width, depth, height],
  }[name];
  const { width: w, height: h } = plots.raw.getBoundingClientRect();
  // Far enough for the whole mesh to fit the card, whichever of its sides is the narrower.
  camera.distance = Math.max(upright, across / (h ? w / h : 1)) / 2 / HALF_VIEW + along / 2;
};
const turn = (yaw, pitch) => {
  camera.yaw += yaw;
  camera.pitch = clamp(camera.pitch + pitch, -STEEPEST, STEEPEST);
  showCamera();
};
const zoom = (factor) => {
  camera.distance = clamp(camera.distance * factor, NEAREST, FARTHEST);
  showCamera();
};
const pan = (dx, dy, height) => {
  const { right, up } = axes();
  const unit = (2 * HALF_VIEW * camera.distance) / height;
  camera.centre = camera.centre.map((value, i) => value - unit * (dx * right[i] - dy * up[i]));
  showCamera();
};

const control = (plot) => {
  const pointers = new Map();
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  plot.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const before = pointers.size === 2 ? spread() : 0;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (before) zoom(before / Math.max(spread(), 1));
    if (before || event.shiftKey || event.buttons === 2) pan(dx, dy, plot.clientHeight);
    else turn(-0.01 * dx, 0.01 * dy);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    plot.addEventListener(end, (event) => pointers.delete(event.pointerId));
  }
  plot.addEventListener("contextmenu", (event) => event.preventDefault());
  plot.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(0.0012 * clamp(event.deltaY, -300, 300)));
  }, { passive: false });
  const keys = {
    ArrowLeft: () => turn(-0.15, 0), ArrowRight: () => turn(0.15, 0),
    ArrowUp: () => turn(0, 0.15), ArrowDown: () => turn(0, -0.15),
    "+": () => zoom(0.87), "-": () => zoom(1.15), Home: () => { stand("front"); showCamera(); },
  };
  plot.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
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
    margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", dragmode: false,
    hoverlabel: { bgcolor: "#0f172a", bordercolor: "#0f172a", font: { color: "#f8fafc", size: 12 } },
    scene: {
      xaxis: axis(0), yaxis: axis(1), zaxis: axis(2), camera: plotlyCamera(),
      aspectmode: "cube", bgcolor: "rgba(0,0,0,0)", dragmode: false,
    },
  };
};

const draw = async () => {
  const drawn = props.value;
  if (!drawn || !window.Plotly) return;
  const start = performance.now();
  const cube = JSON.stringify([drawn.centre, drawn.half]);
  if (cube !== shown) stand("front");
  shown = cube;
  const points = {
    raw: unpack(drawn[mesh].raw, Float32Array), regularised: unpack(drawn[mesh].regularised, Float32Array),
  };
  const options = { displayModeBar: false, responsive: true, scrollZoom: false };
  for (const name of NAMES) {
    const surface = trace(name, points[name] ?? points.regularised, drawn);
    await Plotly.react(plots[name], [surface], layout(drawn), options);
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
  Object.values(plots).forEach(control);
  watch("value", draw);
  draw();
} else {
  for (const plot of Object.values(plots)) {
    plot.textContent = "This browser has no WebGL, which the 3D view needs.";
  }
}
for (const button of element.querySelectorAll("[data-camera]")) {
  button.addEventListener("click", () => {
    stand(button.dataset.camera);
    showCamera();
  });
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
