// Picture 3: the skeletons over the photo, and how far apart the two versions of each joint lie.
const JOINT_REACH = { mouse: 16, pen: 18, touch: 28 };

const jointLayer = element.querySelector(".joint-layer");
const figureChoices = element.querySelector(".figure-choices");
let joint = -1; // the one that is told of

const isShown = (figure) => choices.figures[figure] ?? true;
const jointName = (index) => bodyShown().joint_names[index].replace("_", " ");
const gaps = () => {
  const [first, second] = scene.value.figures;
  return second ? first.points.map(([x, y], i) => Math.hypot(x - second.points[i][0], y - second.points[i][1])) : null;
};
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
const pixels = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} px`;

// The joint branch's skeleton is broad and has the sides' colours. The others are thin, with a pale seam that
// keeps them apart from it where both run along one limb.
const paintFigure = (pen, view, figure, isFirst) => {
  const points = figure.points.map((point) => toFrame(view, point));
  const { bones, joint_colours: sides } = bodyShown();
  for (const [parent, child] of bones) {
    pen.beginPath();
    pen.moveTo(...points[parent]);
    pen.lineTo(...points[child]);
    strokeTwice(pen, isFirst ? sides[child] : "#ffffff", (isFirst ? 4.2 : 2.2) * view.unit);
    if (isFirst) continue;
    pen.lineWidth = 1.1 * view.unit;
    pen.strokeStyle = figure.colour;
    pen.stroke();
  }
  points.forEach(([x, y], index) => {
    pen.beginPath();
    pen.arc(x, y, (isFirst ? 3.9 : 2.3) * view.unit, 0, 2 * Math.PI);
    pen.fillStyle = isFirst ? sides[index] : figure.colour;
    strokeTwice(pen, isFirst ? DARK : "#ffffff", view.unit);
    pen.fill();
  });
};
const paintLinks = (pen, view) => {
  const [first, second] = scene.value.figures.map(({ points }) => points.map((point) => toFrame(view, point)));
  pen.beginPath();
  first.forEach((point, index) => {
    pen.moveTo(...point);
    pen.lineTo(...second[index]);
  });
  strokeTwice(pen, "#ffffff", 1.1 * view.unit, [2.5 * view.unit, 2 * view.unit]);
};
const paintJoints = (pen, view) => {
  const { figures } = scene.value;
  pen.lineCap = "round";
  paintPhoto(pen, view);
  if (figures.length > 1 && isShown(0) && isShown(1)) paintLinks(pen, view);
  // The first one lies on top but for the thin lines of the others, which would be lost under it.
  figures.forEach((figure, index) => {
    if (isShown(index)) paintFigure(pen, view, figure, index === 0);
  });
  if (joint < 0 || !view.live) return;
  figures.forEach(({ points }, index) => {
    if (!isShown(index)) return;
    pen.beginPath();
    pen.arc(...toFrame(view, points[joint]), 7 * view.unit, 0, 2 * Math.PI);
    strokeTwice(pen, "#ffffff", 1.6 * view.unit);
  });
};

const tellJoints = () => {
  const apart = gaps();
  if (joint < 0) {
    const ending = apart ? ` The two versions lie ${pixels(mean(apart))} apart on average.` : "";
    say("joints", `Point at a joint to name it.${ending}`);
    return;
  }
  const gap = apart ? `: the two versions lie ${pixels(apart[joint])} apart` : "";
  say("joints", `${jointName(joint)}${gap}`);
};
const tellJoint = (index) => {
  if (index === joint) return;
  joint = index;
  tellJoints();
  repaint("joints");
};
const nearestJoint = (view, [x, y], reach) => {
  let [nearest, least] = [-1, reach];
  scene.value.figures.forEach(({ points }, figure) => {
    if (!isShown(figure)) return;
    points.forEach((point, index) => {
      const [u, v] = toFrame(view, point);
      const distance = Math.hypot(u - x, v - y);
      if (distance < least) [nearest, least] = [index, distance];
    });
  });
  return nearest;
};
const makeFigureChoices = (figures) => {
  figureChoices.replaceChildren(...figures.map(({ name, colour }, index) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = isShown(index);
    box.disabled = !scene;
    box.addEventListener("change", () => {
      choices.figures[index] = box.checked;
      repaint("joints");
    });
    const swatch = document.createElement("i");
    swatch.className = index ? "thin" : "sides";
    if (index) swatch.style.background = colour;
    label.append(box, swatch, name);
    return label;
  }));
};
const controlJoints = () => {
  const { canvas } = cards.joints;
  for (const event of ["pointermove", "pointerdown"]) {
    canvas.addEventListener(event, (pointed) => {
      if (!scene) return;
      const reach = JOINT_REACH[pointed.pointerType] ?? JOINT_REACH.mouse;
      tellJoint(nearestJoint(liveView("joints"), pointOf(pointed, canvas), reach));
    });
  }
  canvas.addEventListener("pointerleave", (event) => {
    if (scene && event.pointerType !== "touch") tellJoint(-1);
  });
  jointLayer.addEventListener("keydown", (event) => {
    if (!scene) return;
    const count = bodyShown().joint_names.length;
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) tellJoint(joint < 0 && step < 0 ? count - 1 : (joint + step + count) % count);
    else if (event.key === "Escape") tellJoint(-1);
    else return;
    event.preventDefault();
  });
  jointLayer.addEventListener("blur", () => { if (scene) tellJoint(-1); });
};

const describeJoints = () => {
  const apart = gaps();
  const names = scene.value.figures.filter((_, index) => isShown(index)).map(({ name }) => name);
  const worst = apart ? apart.indexOf(Math.max(...apart)) : -1;
  const distance = apart
    ? `; the two versions of a joint lie ${pixels(mean(apart))} apart on average, at most ${pixels(apart[worst])} (${jointName(worst)})`
    : "";
  return `The photo with skeletons of ${bodyShown().joint_names.length} joints: ${names.join(", ") || "none shown"}${distance}`;
};
