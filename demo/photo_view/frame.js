// Gradio runs these files as one, once, with `element`, `props`, `watch` and `trigger`.
//
// Shared by the four pictures: what is shown, the visitor's choices, and where the photo lies in its frame.
// A `view` says the latter: {side, unit, scale, left, top, width, height, live} in px of the page, with
// `scale` px of the page a px of the photo; `unit` is the width of a thin line; `live` is false in an export.
const MOST_DENSITY = 2; // pixels of a canvas a px of the page: more cannot be seen, and costs
const DARK = "rgba(15, 23, 42, 0.75)"; // under every line, so that it shows on pale photos too

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const some = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

const cards = Object.fromEntries(
  Array.from(element.querySelectorAll("[data-picture]"), (card) => [card.dataset.picture, {
    card,
    frame: card.querySelector(".frame"),
    canvas: card.querySelector("canvas"),
    readout: card.querySelector(".readout"),
    title: card.querySelector("h3").textContent,
  }])
);
const choices = {
  opacity: Object.fromEntries(
    ["parts", "mesh"].map((name) => [name, Number(cards[name].card.querySelector("[type=range]").value)])
  ),
  swipe: 0, // per cent of the photo's width that stay free of the mesh
  labels: "predicted",
  figures: [],
};
// The settings of the body that is shown; before the first value those of the first one.
const bodyShown = () => props.settings.bodies[scene?.value.body] ?? Object.values(props.settings.bodies)[0];
// Null before the first value, then {value, photo, overlay, labels, trueLabels}, pictures decoded.
let scene = null;

const fit = ([width, height], side, live) => {
  const scale = side / Math.max(width, height);
  return {
    side, scale, live, unit: clamp(side / 420, 0.7, 1.6), width: width * scale, height: height * scale,
    left: (side - width * scale) / 2, top: (side - height * scale) / 2,
  };
};
const liveView = (name) => fit(scene.value.size, cards[name].canvas.clientWidth, true);
const toFrame = (view, [x, y]) => [view.left + x * view.scale, view.top + y * view.scale];
const toPhoto = (view, [x, y]) => [(x - view.left) / view.scale, (y - view.top) / view.scale];
const boxToFrame = (view, [x0, y0, x1, y1]) => [...toFrame(view, [x0, y0]), ...toFrame(view, [x1, y1])];
// The corners of a box of the photo that is turned about its middle by radians, clockwise from the upper left.
const turnedCorners = (view, [x0, y0, x1, y1], turn) => {
  const [x, y, across, along] = [(x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2];
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([u, v]) => toFrame(view, [
    x + u * across * cosine - v * along * sine, y + u * across * sine + v * along * cosine,
  ]));
};
const pointOf = (event, canvas) => {
  const { left, top } = canvas.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
};

const loadPicture = async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  return picture;
};

const paintPhoto = (pen, view) => {
  pen.imageSmoothingEnabled = true;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(scene.photo, view.left, view.top, view.width, view.height);
};
// Calls `paint` with a pen that leaves everything beside the photo alone.
const withinPhoto = (pen, view, paint) => {
  pen.save();
  pen.beginPath();
  pen.rect(view.left, view.top, view.width, view.height);
  pen.clip();
  paint();
  pen.restore();
};
// Strokes the current path, dark and wider underneath.
const strokeTwice = (pen, colour, width, dash = []) => {
  pen.setLineDash([]);
  pen.strokeStyle = DARK;
  pen.lineWidth = 1.8 * width;
  pen.stroke();
  pen.setLineDash(dash);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
  pen.setLineDash([]);
};

// Puts words, and swatches given as {colour}, in the one line under a picture.
const say = (name, ...pieces) => {
  const { readout } = cards[name];
  const text = JSON.stringify(pieces);
  if (readout.dataset.said === text) return; // else it would be read aloud again
  readout.dataset.said = text;
  readout.replaceChildren(...pieces.map((piece) => {
    if (typeof piece === "string") return piece;
    const swatch = document.createElement("i");
    swatch.style.background = piece.colour;
    return swatch;
  }));
};
