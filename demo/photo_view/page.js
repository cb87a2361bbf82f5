// The four pictures together: values, repainting, sliders and buttons, export.
const PICTURES = {
  photo: { paint: paintBoxes, describe: describeBoxes, place: placeBoxLayers },
  parts: { paint: paintParts, describe: describeParts },
  joints: { paint: paintJoints, describe: describeJoints },
  mesh: { paint: paintMesh, describe: describeMesh, place: placeSwipe },
};
const NAMES = Object.keys(PICTURES);
const EXPORT = { side: 640, gap: 28, title: 44 }; // px

const waiting = new Set();
let newest = 0; // counts values, so that a slow picture does not come after a quick later one

const paint = (name) => {
  const { canvas } = cards[name];
  const density = Math.min(window.devicePixelRatio || 1, MOST_DENSITY);
  const across = Math.round(canvas.clientWidth * density);
  if (!across) return; // in a closed tab
  if (canvas.width !== across) canvas.width = canvas.height = across;
  const pen = canvas.getContext("2d");
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, canvas.clientWidth, canvas.clientWidth);
  const view = liveView(name);
  pen.save();
  PICTURES[name].paint(pen, view);
  pen.restore();
  PICTURES[name].place?.(view);
  const text = PICTURES[name].describe();
  if (canvas.ariaLabel !== text) canvas.ariaLabel = text;
};
const paintWaiting = () => {
  const start = performance.now();
  const names = [...waiting];
  waiting.clear();
  names.forEach(paint);
  element.dataset.paintMs = (performance.now() - start).toFixed(1);
};
// Has these pictures, or all, painted before the next frame, once however often they change until then.
function repaint(...names) {
  if (!scene) return;
  if (!waiting.size) requestAnimationFrame(paintWaiting);
  for (const name of names.length ? names : NAMES) waiting.add(name);
}

const showOpacity = (name) => {
  const slider = cards[name].card.querySelector("[type=range]");
  const text = `${choices.opacity[name]}%`;
  slider.value = choices.opacity[name];
  slider.style.setProperty("--filled", text);
  cards[name].card.querySelector("output").textContent = text;
};
const showChoices = () => {
  for (const name of Object.keys(choices.opacity)) showOpacity(name);
  for (const button of element.querySelectorAll("[data-labels]")) {
    button.ariaPressed = String(button.dataset.labels === (scene ? labelChoice() : choices.labels));
  }
  makeFigureChoices(
    scene ? scene.value.figures : props.settings.figure_names.map((name) => ({ name, colour: "#ffffff" }))
  );
};

// A picture that is already there is not decoded again: the regulariser's sliders change the mesh alone.
const fetchScene = async (value) => {
  const [photo, overlay] = await Promise.all([
    value.photo === scene?.value.photo ? scene.photo : loadPicture(value.photo),
    value.overlay?.picture === scene?.value.overlay?.picture ? scene?.overlay
      : value.overlay && loadPicture(value.overlay.picture),
  ]);
  return {
    value, photo, overlay: overlay ?? null, labels: unpack(value.labels),
    trueLabels: value.true_labels && unpack(value.true_labels),
  };
};
// The words and the legend of another body.
const showBody = () => {
  for (const [name, [title, sentence]] of Object.entries(bodyShown().captions)) {
    const { card } = cards[name];
    cards[name].title = title;
    card.querySelector("h3").textContent = title;
    card.querySelector(".caption").innerHTML = sentence;
  }
  makeLegend();
};
const draw = async () => {
  const turn = ++newest;
  const value = props.value && JSON.parse(JSON.stringify(props.value));
  if (!value) return;
  const start = performance.now();
  const fetched = await fetchScene(value);
  if (turn !== newest) return;
  const isOther = ["photo", "box", "size", "people", "body"].some((key) =>
    JSON.stringify(value[key]) !== JSON.stringify(scene?.value[key]));
  const shownBefore = bodyShown();
  scene = fetched;
  if (bodyShown() !== shownBefore) showBody();
  if (isOther) {
    // A box that the visitor is still moving outlives a new mesh, not a new person.
    [edited, press, joint] = [null, null, -1];
    revertButton.disabled = true;
  }
  element.dataset.draws = Number(element.dataset.draws || 0) + 1;
  element.querySelector(".photo-view").classList.add("filled");
  for (const layer of [boxLayer, jointLayer, swipe]) layer.hidden = layer === swipe && !scene.overlay;
  element.querySelector("[aria-label=Labels]").hidden = !scene.trueLabels;
  showChoices();
  fillLegend();
  if (isOther) {
    makePeople();
    say("photo", photoHint());
    forgetPart();
  }
  tellJoints();
  tellMesh();
  NAMES.forEach(paint);
  element.dataset.drawMs = Math.round(performance.now() - start);
};

const picture = () => {
  if (!scene) return null;
  const { side, gap, title } = EXPORT;
  const sheet = document.createElement("canvas");
  sheet.width = NAMES.length * (side + gap) + gap;
  sheet.height = title + side + gap;
  const pen = sheet.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, sheet.width, sheet.height);
  NAMES.forEach((name, index) => {
    pen.setTransform(1, 0, 0, 1, gap + index * (side + gap), 0);
    pen.fillStyle = "#0f172a";
    pen.font = "600 20px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    pen.fillText(cards[name].title, 0, title / 2 + 2);
    pen.setTransform(1, 0, 0, 1, gap + index * (side + gap), title);
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, side, side);
    pen.clip();
    PICTURES[name].paint(pen, fit(scene.value.size, side, false));
    pen.restore();
  });
  return sheet.toDataURL("image/png");
};
const state = () => JSON.parse(JSON.stringify(choices));
const restore = ({ opacity = {}, swipe: share, labels, figures }) => {
  Object.assign(choices.opacity, opacity);
  if (share !== undefined) choices.swipe = clamp(share, 0, 100);
  if (labels) choices.labels = labels;
  if (figures) choices.figures = [...figures];
  showChoices();
  if (!scene) return;
  fillLegend();
  forgetPart();
  repaint();
};

for (const name of Object.keys(choices.opacity)) {
  const slider = cards[name].card.querySelector("[type=range]");
  slider.addEventListener("input", () => {
    choices.opacity[name] = Number(slider.value);
    showOpacity(name);
    repaint(name);
  });
}
for (const button of element.querySelectorAll("[data-labels]")) {
  button.addEventListener("click", () => restore({ labels: button.dataset.labels }));
}
controlBox();
controlParts();
controlLegend();
controlJoints();
controlSwipe();
showChoices();
new ResizeObserver(() => repaint()).observe(element);
window.addEventListener("resize", () => repaint()); // another zoom, another density
element.hmnet = { picture, state, restore };
window.hmnetPhotos = element.hmnet;
watch("value", draw);
draw();
