// Picture 1: the person box, the square crop, the boxes of others.
const BOX_COLOUR = "#10b981";
const CROP_COLOUR = "#ffffff";
const OTHERS_COLOUR = "#facc15";
const HANDLE = 4.5; // half a handle's side
const GRIPS = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];
// A grip tells which edges it holds: -1 the left or upper one, 1 the right or lower one, 0 neither.

let edited = null; // the visitor's box while it differs from the networks'

const currentBox = () => edited ?? scene.value.box;
const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);
const holds = ([x0, y0, x1, y1], [x, y]) => x >= x0 && x <= x1 && y >= y0 && y <= y1;

// Index of the other person at a point of the photo, -1 for nobody: of several boxes the smallest counts.
const personAt = (point) => {
  const all = [scene.value.box, ...scene.value.people];
  const around = all.filter((box) => holds(box, point)).sort((a, b) => area(a) - area(b));
  return around.length ? all.indexOf(around[0]) - 1 : -1;
};
// A point of the photo at which `personAt` finds that person: the middle, unless a smaller box covers it.
const pointInPerson = (index) => {
  const [x0, y0, x1, y1] = scene.value.people[index];
  const shares = [0.5, 0.25, 0.75, 0.05, 0.95];
  const points = shares.flatMap((v) => shares.map((u) => [x0 + u * (x1 - x0), y0 + v * (y1 - y0)]));
  return points.find((point) => personAt(point) === index) ?? points[0];
};
// The square that the networks would see of a box, by the margin of the one they saw; turned as that was.
const cropAround = (box) => {
  const { box: seen, crop } = scene.value;
  const margin = (crop[2] - crop[0]) / Math.max(seen[2] - seen[0], seen[3] - seen[1]);
  const half = (margin * Math.max(box[2] - box[0], box[3] - box[1])) / 2;
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  return [x - half, y - half, x + half, y + half];
};

// The grip at a point of the frame; [0, 0] inside the box; null off it.
const gripAt = (view, [x, y], reach) => {
  const [x0, y0, x1, y1] = boxToFrame(view, currentBox());
  if (x < x0 - reach || x > x1 + reach || y < y0 - reach || y > y1 + reach) return null;
  const edge = (value, low, high) => {
    const inner = Math.min(reach, (high - low) / 3); // a small box keeps a middle to be moved by
    if (value <= low + inner) return -1;
    return value >= high - inner ? 1 : 0;
  };
  return [edge(x, x0, x1), edge(y, y0, y1)];
};
// The box with what a grip holds moved by (dx, dy) px of the photo, kept in the photo and large enough.
const moveBox = (box, grip, step) => {
  const moved = [...box];
  const whole = !grip[0] && !grip[1];
  for (const axis of [0, 1]) {
    const [low, high, limit] = [box[axis], box[axis + 2], scene.value.size[axis]];
    const least = Math.min(props.settings.least_side, high - low);
    const shift = whole ? clamp(step[axis], Math.min(0, -low), Math.max(0, limit - high)) : step[axis];
    if (whole) [moved[axis], moved[axis + 2]] = [low + shift, high + shift];
    else if (grip[axis] < 0) moved[axis] = clamp(low + shift, 0, high - least);
    else if (grip[axis] > 0) moved[axis + 2] = clamp(high + shift, low + least, limit);
  }
  return moved;
};
// The box between two points of the photo, null where it is too small for a person.
const boxBetween = (a, b) => {
  const [width, height] = scene.value.size;
  const ends = [a, b].map(([x, y]) => [clamp(x, 0, width), clamp(y, 0, height)]);
  const box = [0, 1, 0, 1].map((axis, corner) =>
    (corner < 2 ? Math.min : Math.max)(ends[0][axis], ends[1][axis]));
  const least = props.settings.least_side;
  return box[2] - box[0] < least || box[3] - box[1] < least ? null : box;
};

const paintTag = (pen, view, text, colour, x, y) => {
  const size = 16 * Math.max(1, view.unit);
  pen.fillStyle = colour;
  pen.fillRect(x, y, size, size);
  pen.fillStyle = "#0f172a";
  pen.font = `600 ${0.75 * size}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, x + size / 2, y + size / 2 + 0.5);
};
const paintHandles = (pen, view, [x0, y0, x1, y1]) => {
  const isHeld = document.activeElement === boxLayer;
  for (const [u, v] of GRIPS) {
    // Those amid a short edge would cover the corners'.
    if ((!u && x1 - x0 < 48) || (!v && y1 - y0 < 48)) continue;
    const at = (grip, low, high) =>
      clamp(low + ((grip + 1) / 2) * (high - low), HANDLE + 1, view.side - HANDLE - 1);
    pen.beginPath();
    pen.rect(at(u, x0, x1) - HANDLE, at(v, y0, y1) - HANDLE, 2 * HANDLE, 2 * HANDLE);
    pen.fillStyle = isHeld ? BOX_COLOUR : "#ffffff";
    pen.fill();
    strokeTwice(pen, isHeld ? "#ffffff" : BOX_COLOUR, 1.5);
  }
};
const paintBoxes = (pen, view) => {
  const { people, crop } = scene.value;
  const box = boxToFrame(view, currentBox());
  const seen = turnedCorners(view, edited ? cropAround(edited) : crop, scene.value.turn);
  const traceSeen = () => {
    pen.beginPath();
    seen.forEach(([x, y], corner) => (corner ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
  };
  const trace = ([x0, y0, x1, y1]) => {
    pen.beginPath();
    pen.rect(x0, y0, x1 - x0, y1 - y0);
  };
  paintPhoto(pen, view);
  withinPhoto(pen, view, () => {
    // What the networks do not see steps back.
    traceSeen();
    pen.rect(view.left, view.top, view.width, view.height);
    pen.fillStyle = "rgba(15, 23, 42, 0.35)";
    pen.fill("evenodd");
    people.forEach((other, index) => {
      const placed = boxToFrame(view, other);
      trace(placed);
      strokeTwice(pen, OTHERS_COLOUR, 1.2 * view.unit);
      paintTag(pen, view, String(index + 2), OTHERS_COLOUR, placed[0], placed[1]);
    });
  });
  traceSeen();
  strokeTwice(pen, CROP_COLOUR, 1.4 * view.unit, [6 * view.unit, 5 * view.unit]);
  trace(box);
  strokeTwice(pen, BOX_COLOUR, 2.4 * view.unit);
  if (people.length) paintTag(pen, view, "1", BOX_COLOUR, box[0], box[1]);
  if (view.live) paintHandles(pen, view, box);
};

const describeBoxes = () => {
  const { people, size, turn } = scene.value;
  const { one, many } = bodyShown();
  const box = currentBox().map(Math.round);
  const others = people.length ? `, and ${some(people.length, `other ${one}`, `other ${many}`)}` : "";
  const turned = turn ? `, turned by ${Math.round((180 * turn) / Math.PI)} degrees` : "";
  return `The photo, ${size.map(Math.round).join(" by ")} px, with the ${one} box from ${box.slice(0, 2).join(", ")} `
    + `to ${box.slice(2).join(", ")}, the square crop around it${turned}${others}`;
};
