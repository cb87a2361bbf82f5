// Picture 2: the part labels over the photo, predicted, true, or where the two differ.
const FADED = 0.22; // of a part's opacity, while another one is lit up
const OUTCOMES = {
  right: { title: "same part", colour: [148, 163, 184], opacity: 0.45 },
  wrong: { title: "another part", colour: [249, 115, 22], opacity: 1 },
  missed: { title: "missed", colour: [192, 38, 211], opacity: 1 },
  extra: { title: "too much", colour: [37, 99, 235], opacity: 1 },
};

const partsCanvas = document.createElement("canvas"); // one pixel a label
let paintedParts = ""; // what stands in it
let lit = 0; // the part that stands out, 0 for none
let pointedPart = 0; // the part under the pointer in the picture

const bytesOf = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const labelChoice = () => (scene.trueLabels ? choices.labels : "predicted");
const shownLabels = () => (labelChoice() === "true" ? scene.trueLabels : scene.labels);
const outcomeOf = (predicted, truth) => {
  if (predicted === truth) return truth ? "right" : null;
  if (!truth) return "extra";
  return predicted ? "wrong" : "missed";
};
const countOutcomes = () => {
  const counts = { right: 0, wrong: 0, missed: 0, extra: 0 };
  scene.labels.forEach((part, index) => {
    const outcome = outcomeOf(part, scene.trueLabels[index]);
    if (outcome) counts[outcome] += 1;
  });
  return counts;
};
// Part -> number of its pixels, of the labels that are shown.
const countParts = () => {
  const counts = new Array(bodyShown().part_names.length).fill(0);
  for (const part of shownLabels()) counts[part] += 1;
  return counts;
};

const fillParts = () => {
  const key = [element.dataset.draws, labelChoice(), lit].join();
  if (key === paintedParts) return;
  paintedParts = key;
  const { side } = scene.value;
  partsCanvas.width = partsCanvas.height = side;
  const pen = partsCanvas.getContext("2d");
  const pixels = pen.createImageData(side, side);
  const palette = bodyShown().part_colours.map(bytesOf);
  const isDifference = labelChoice() === "difference";
  const shown = shownLabels();
  shown.forEach((part, index) => {
    const truth = isDifference ? scene.trueLabels[index] : part;
    const outcome = isDifference ? OUTCOMES[outcomeOf(part, truth)] : part && { colour: palette[part], opacity: 1 };
    if (!outcome) return;
    const faded = lit && part !== lit && truth !== lit ? FADED : 1;
    pixels.data.set([...outcome.colour, 255 * outcome.opacity * faded], 4 * index);
  });
  pen.putImageData(pixels, 0, 0);
};
const paintParts = (pen, view) => {
  fillParts();
  paintPhoto(pen, view);
  const [x0, y0, x1, y1] = boxToFrame(view, scene.value.crop);
  const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  withinPhoto(pen, view, () => {
    // The rest of the photo steps back a little, so that the person stands out.
    pen.globalAlpha = (0.3 * choices.opacity.parts) / 100;
    pen.fillStyle = "#969696";
    pen.fillRect(view.left, view.top, view.width, view.height);
    pen.globalAlpha = choices.opacity.parts / 100;
    pen.imageSmoothingEnabled = false; // two labels have none between them
    if (scene.value.turn) {
      pen.translate(x, y);
      pen.rotate(scene.value.turn);
      pen.translate(-x, -y);
    }
    pen.drawImage(partsCanvas, x0, y0, x1 - x0, y1 - y0);
  });
};

// A point of the photo where it lies before the crop is turned about its middle.
const turnedBack = ([x, y]) => {
  const { crop, turn } = scene.value;
  if (!turn) return [x, y];
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  const middle = [(crop[0] + crop[2]) / 2, (crop[1] + crop[3]) / 2];
  const [u, v] = [x - middle[0], y - middle[1]];
  return [middle[0] + u * cosine + v * sine, middle[1] - u * sine + v * cosine];
};
// Index of the label at a point of the photo, -1 outside the crop.
const labelAt = (point) => {
  const { crop, side, size } = scene.value;
  if (!holds([0, 0, ...size], point)) return -1;
  const [x, y] = turnedBack(point);
  const [column, row] = [x - crop[0], y - crop[1]].map((at) => Math.floor((at / (crop[2] - crop[0])) * side));
  return column < 0 || row < 0 || column >= side || row >= side ? -1 : row * side + column;
};
const tellParts = () => {
  if (labelChoice() !== "difference") {
    const found = countParts().slice(1).filter(Boolean).length;
    say("parts", `${found} of ${bodyShown().part_names.length - 1} parts ${labelChoice() === "true" ? "show" : "found"}; point at one to name it.`);
    return;
  }
  const counts = countOutcomes();
  const total = Math.max(1, Object.values(counts).reduce((sum, count) => sum + count, 0));
  say("parts", ...Object.entries(OUTCOMES).flatMap(([name, { title, colour }]) => [
    { colour: `rgb(${colour.join()})` }, `${title} ${Math.round((100 * counts[name]) / total)}%  `,
  ]));
};
const tellPartAt = (point) => {
  const index = labelAt(point);
  const predicted = index < 0 ? 0 : scene.labels[index];
  const truth = index < 0 || !scene.trueLabels ? predicted : scene.trueLabels[index];
  pointedPart = labelChoice() === "true" ? truth : predicted || truth;
  markRows();
  if (!predicted && !truth) {
    tellParts();
    return;
  }
  const names = bodyShown().part_names;
  const colour = bodyShown().part_colours[pointedPart];
  const known = scene.trueLabels ? ` (true: ${names[truth]})` : "";
  say("parts", { colour }, `${names[predicted]}${known}`);
};
const forgetPart = () => {
  pointedPart = 0;
  markRows();
  tellParts();
};
const controlParts = () => {
  const { canvas } = cards.parts;
  for (const event of ["pointermove", "pointerdown"]) {
    canvas.addEventListener(event, (pointed) => {
      if (scene) tellPartAt(toPhoto(liveView("parts"), pointOf(pointed, canvas)));
    });
  }
  canvas.addEventListener("pointerleave", (event) => {
    // A finger leaves at once; what it named stays to be read.
    if (scene && event.pointerType !== "touch") forgetPart();
  });
};

const describeParts = () => {
  if (labelChoice() === "difference") {
    const counts = countOutcomes();
    return `Where the parts differ from the true ones: ${Object.entries(OUTCOMES)
      .map(([name, { title }]) => `${title} ${counts[name]} pixels`).join(", ")}`;
  }
  const names = bodyShown().part_names;
  const counts = countParts();
  const found = names.filter((_, part) => part && counts[part]);
  const kind = labelChoice() === "true" ? "true parts, " : "parts, ";
  return `The photo with ${names.length - 1} ${kind}${found.length} ${labelChoice() === "true" ? "seen" : "found"}: ${found.join(", ") || "none"}`;
};
