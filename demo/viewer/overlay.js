// What lies over a surface, in 2D: skeletons and their names, the marked vertex, its neighbourhood.
const UNDER = "rgba(15, 23, 42, 0.8)"; // under every line, so that it shows on pale surfaces too
const MARK = "#ffffff";
const RING = "#fde047"; // edges to the neighbours
const MEAN = "#f472b6"; // their mean, and where the vertex goes

const trace = (pen, points) => {
  pen.beginPath();
  points.forEach(([x, y], index) => (index ? pen.lineTo(x, y) : pen.moveTo(x, y)));
};
const strokeTwice = (pen, colour, width) => {
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = UNDER;
  pen.lineWidth = width + 2;
  pen.stroke();
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
};
const paintDot = (pen, [x, y], radius, colour) => {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
  pen.strokeStyle = UNDER;
  pen.lineWidth = 1.2;
  pen.stroke();
};

const paintSkeleton = (pen, { joints, colour }, view) => {
  const places = Array.from({ length: joints.length / 3 }, (_, joint) => project(view, pointOf(joints, joint)));
  for (const [parent, child] of body.bones) {
    trace(pen, [places[parent], places[child]]);
    strokeTwice(pen, colour, 2.2);
  }
  for (const place of places) paintDot(pen, place, 3, colour);
};
const paintNames = (pen, skeletons, { text, ground }) => {
  pen.font = "600 12px Inter, system-ui, sans-serif";
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  skeletons.forEach(({ name, colour }, index) => {
    const y = 12 + 18 * index;
    trace(pen, [[8, y], [24, y]]);
    strokeTwice(pen, colour, 2.2);
    pen.strokeStyle = ground;
    pen.lineWidth = 4;
    pen.strokeText(name, 32, y + 0.5);
    pen.fillStyle = text;
    pen.fillText(name, 32, y + 0.5);
  });
};

// The marked vertex: filled where it is seen, hollow where the surface hides it.
const paintMark = (pen, pane, view) => {
  const place = project(view, pointOf(surfaceOf(pane).points, mark.vertex));
  const isSeen = !isHidden(pane, view, place);
  pen.beginPath();
  pen.arc(place[0], place[1], 6, 0, 2 * Math.PI);
  strokeTwice(pen, MARK, 2);
  if (isSeen) paintDot(pen, place, 2.6, mark.isPinned ? MEAN : MARK);
};
// The one-ring of the marked template vertex, its mean, and the way that averaging takes the vertex.
const paintNeighbourhood = (pen, pane, view) => {
  const members = ringOf(meshes.template.rings, mark.template);
  const own = pointOf(pane.template, mark.template);
  const start = project(view, own);
  const places = Array.from(members, (member) => project(view, pointOf(pane.template, member)));
  for (const place of places) {
    trace(pen, [start, place]);
    strokeTwice(pen, RING, 1.6);
  }
  for (const place of places) paintDot(pen, place, 3, RING);
  const mean = ringMean(pane.template, members);
  const goal = own.map((value, axis) => value + stepsOf(scene.lab)[0] * (mean[axis] - value));
  trace(pen, [start, project(view, goal)]);
  strokeTwice(pen, MEAN, 2);
  const [x, y] = project(view, mean);
  trace(pen, [[x, y - 5], [x + 5, y], [x, y + 5], [x - 5, y], [x, y - 5]]);
  strokeTwice(pen, MEAN, 1.6);
  paintDot(pen, start, 4, MARK);
};

// ink: {text, ground}, the colours of words and of what lies behind the pane.
const paintOverlay = (pen, pane, view, ink) => {
  for (const skeleton of pane.skeletons) paintSkeleton(pen, skeleton, view);
  if (mark && showsNeighbourhood) paintNeighbourhood(pen, pane, view);
  else if (mark) paintMark(pen, pane, view);
  paintNames(pen, pane.skeletons, ink);
};
