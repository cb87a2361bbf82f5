// Values, repainting, the regulariser's preview, export, and what the page may call.
const FRESH = 2000; // ms for which a preview outlives a value that was computed under older settings
const EXPORT = { side: 640, gap: 28, title: 48, bar: 58, density: 2 }; // px
const NO_WEBGL = "This browser has no WebGL 2, which the 3D view needs.";

let isWaiting = false;
let preview = null; // {lab, at}: the last settings that were previewed
let wantedCamera = null; // restored before the first value

const paintAll = () => {
  if (!scene || !painter) return;
  const start = performance.now();
  shownCards().forEach(paintCard);
  element.dataset.paintMs = (performance.now() - start).toFixed(1);
  element.dataset.frames = Number(element.dataset.frames || 0) + 1;
};
// Has everything painted with the next frame, once however often it changes until then.
function repaint() {
  if (isWaiting || !scene) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    paintAll();
  });
}

const isSameLab = (one, other) => Object.keys(one).every((name) => one[name] === other[name]);
const moveBy = (lab) => {
  scene.lab = lab;
  for (const pane of scene.panes.values()) if (pane.raw) move(pane, regularised(pane.raw, lab));
};
const regularise = (lab) => {
  if (!scene) return;
  preview = { lab, at: performance.now() };
  moveBy(lab);
  tell();
  repaint();
};

const takeScene = (value) => ({
  person: value.person, layouts: value.layouts, lab: value.lab,
  panes: new Map(value.panes.map((sent) => [sent.name, takePane(sent)])),
});
const showBody = (name) => {
  takeBody(name);
  // Before the next value: what is marked is a vertex of the body that goes.
  mark = null;
  if (!painter) return;
  for (const slot of cards) slot.models = {};
  loadBody();
};
const draw = () => {
  const value = props.value && JSON.parse(JSON.stringify(props.value));
  if (!value) return;
  const start = performance.now();
  const isOther = value.person !== scene?.person;
  if (value.body !== body.name) showBody(value.body);
  scene = takeScene(value);
  const [first] = scene.panes.values();
  aimAt(first.raw ?? first.template);
  if (isOther) [mark, preview] = [null, null];
  // While a slider is dragged, values come late: the surface is not to jump back to their settings.
  const isStale = preview && start - preview.at < FRESH && !isSameLab(preview.lab, value.lab);
  if (isStale) moveBy(preview.lab);
  dealPanes();
  if (isOther) reset(aspect());
  if (wantedCamera) placeCamera(wantedCamera);
  wantedCamera = null;
  keepMark();
  showChoices();
  tell();
  if (painter) element.querySelector(".viewer").classList.add("filled");
  paintAll();
  element.dataset.drawMs = Math.round(performance.now() - start);
  element.dataset.draws = Number(element.dataset.draws || 0) + 1;
};

const cameraNumbers = () => [camera.yaw, camera.pitch, camera.distance, ...camera.centre];
const placeCamera = ([yaw, pitch, distance, ...centre]) => {
  isFitted = false;
  Object.assign(camera, { yaw, pitch: clamp(pitch, -STEEPEST, STEEPEST), distance, centre });
};
const state = () => ({ ...choices, layout: scene ? currentLayout().name : choices.layout, camera: cameraNumbers() });
// Takes any of what `state` gives; what is missing or not known stays as it is.
const restore = (saved) => {
  const known = {
    mesh: Object.keys(meshes), shading: ["smooth", "flat"], colours: ["plain", "parts", "error"],
    wireframe: [true, false],
  };
  const changes = Object.entries(known).filter(([name, values]) => values.includes(saved[name]));
  choose({ ...Object.fromEntries(changes.map(([name]) => [name, saved[name]])), layout: saved.layout ?? choices.layout });
  const isCamera = saved.camera?.length === 6 && saved.camera.every(Number.isFinite) && saved.camera[2] > 0;
  if (!isCamera) return;
  setTurning(false);
  if (scene) placeCamera(saved.camera);
  else wantedCamera = saved.camera;
  repaint();
};

const paintBar = (pen, { limit, title }, width) => {
  const gradient = pen.createLinearGradient(0, 0, width, 0);
  for (const [at, colour] of props.surfaces.colour_scale) gradient.addColorStop(at, colour);
  pen.fillStyle = gradient;
  pen.fillRect(0, 6, width, 12);
  pen.fillStyle = "#0f172a";
  pen.font = "14px Inter, system-ui, sans-serif";
  const ticks = ticksOf(limit, 5);
  ticks.forEach((text, index) => {
    pen.textAlign = index === 0 ? "left" : index === ticks.length - 1 ? "right" : "center";
    pen.fillText(text, (width * index) / (ticks.length - 1), 30);
  });
  pen.textAlign = "left";
  pen.fillText(title, 0, 49);
};
// All panes of the layout side by side with their titles, on white: a PNG as a data URL.
const picture = () => {
  if (!scene || !painter) return null;
  const { side, gap, title, bar, density } = EXPORT;
  const slots = shownCards();
  const page = document.createElement("canvas");
  page.width = density * (slots.length * (side + gap) + gap);
  page.height = density * (title + side + bar + gap);
  const pen = page.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, page.width, page.height);
  pen.textBaseline = "middle";
  slots.forEach((slot, index) => {
    const put = (y) => pen.setTransform(density, 0, 0, density, density * (gap + index * (side + gap)), density * y);
    put(title);
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, side, side);
    pen.clip();
    paintPane(pen, slot, viewOf(side, side), density, { text: "#0f172a", ground: "#ffffff" });
    pen.restore();
    put(title + side);
    if (isShaded(slot.pane)) paintBar(pen, slot.pane.shade, side);
    put(0);
    pen.fillStyle = "#0f172a";
    pen.font = "600 20px Inter, system-ui, sans-serif";
    pen.fillText(slot.pane.title, 0, title / 2);
  });
  return page.toDataURL("image/png");
};

// What is drawn in a pane, by its name: for tests.
const geometry = (name) => {
  const pane = scene.panes.get(name);
  const { points, values } = surfaceOf(pane);
  return { vertices: points, values: values ?? null, camera: { ...camera, centre: [...camera.centre] } };
};

const begin = () => {
  setUp();
  for (const slot of cards) slot.models = {};
  repaint();
};
if (gl) {
  begin();
  sheet.addEventListener("webglcontextlost", (event) => {
    event.preventDefault();
    painter = null;
  });
  sheet.addEventListener("webglcontextrestored", begin);
} else {
  for (const { plot } of cards) plot.querySelector(".hint").textContent = NO_WEBGL;
}
cards.forEach(controlPointer);
cards.forEach(controlKeys);
controlToolbar();
showChoices();
new ResizeObserver(() => {
  refit();
  repaint();
}).observe(grid);
window.addEventListener("resize", repaint); // another zoom, another density
new MutationObserver(repaint).observe(document.body, { attributeFilter: ["class"] }); // light or dark: names follow
const first = bodies[FIRST_BODY];
element.hmnet = {
  layout: (name) => choose({ layout: name }), regularise, state, restore, picture, geometry, graphics: () => gl,
  body: () => body.name,
  // The first body's meshes and what is done to them, for other views of the page.
  shapes: {
    full: { ...first.meshes.full, partColours: first.part_colours.flatMap(rgbOf) }, normalsOf,
    upsample: (points) => upsample(points, first.upsampling),
    regularised: (points, lab) => regularised(points, lab, first.meshes.template),
  },
};
window.hmnetViewer = element.hmnet;
watch("value", draw);
draw();
