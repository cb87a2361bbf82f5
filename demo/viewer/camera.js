// The one camera of all panes: yaw, pitch, distance and centre, and where it sees a point.
//
// The camera frame has y down and z away from the viewer: from the front one looks along +z, with -y up.
const STANDPOINTS = { front: [0, 0], side: [Math.PI / 2, 0], back: [Math.PI, 0], top: [0, 1.55] };
const STEEPEST = 1.55; // radians; straight from above, left and right would be undefined
const HALF_VIEW = Math.tan(Math.PI / 8); // the camera sees 45 degrees from top to bottom
const NEAREST = 0.25; // of the longest side of what is shown
const FARTHEST = 8;
const MARGIN = 1.06; // around what is shown: other panes may reach a little further

const camera = { yaw: 0, pitch: 0, distance: 1.8, centre: [0, 0, 0] }; // radians, m
const shown = { points: new Float32Array([0, -0.9, 0, 0, 0.9, 0]), centre: [0, 0, 0], side: 1.8 }; // what is to be seen, m
// Until the visitor zooms or moves, the distance follows the panes' shape.
let isFitted = true;
let standpoint = "front"; // the last one

const aimAt = (points) => {
  const [low, high] = [[Infinity, Infinity, Infinity], [-Infinity, -Infinity, -Infinity]];
  points.forEach((value, at) => {
    low[at % 3] = Math.min(low[at % 3], value);
    high[at % 3] = Math.max(high[at % 3], value);
  });
  shown.points = points;
  shown.centre = high.map((value, axis) => (value + low[axis]) / 2);
  shown.side = Math.max(...high.map((value, axis) => value - low[axis]));
};

const axesOf = ({ yaw, pitch }) => {
  const [sinYaw, cosYaw, sinPitch, cosPitch] = [Math.sin(yaw), Math.cos(yaw), Math.sin(pitch), Math.cos(pitch)];
  return {
    right: [cosYaw, 0, sinYaw],
    up: [-sinYaw * sinPitch, -cosPitch, cosYaw * sinPitch],
    towards: [sinYaw * cosPitch, -sinPitch, -cosYaw * cosPitch], // the viewer
  };
};
// How a pane of that size, px, sees: `focal` is in px.
const viewOf = (width, height) => ({
  ...axesOf(camera), width, height, focal: height / 2 / HALF_VIEW,
  distance: camera.distance, centre: [...camera.centre],
});
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
// Where a point is seen: [x, y] in px, and its depth in m before the eye.
const project = (view, point) => {
  const offset = point.map((value, axis) => value - view.centre[axis]);
  const depth = view.distance - dot(view.towards, offset);
  const scale = view.focal / Math.max(depth, 1e-6);
  return [view.width / 2 + scale * dot(view.right, offset), view.height / 2 - scale * dot(view.up, offset), depth];
};

// Far enough for every vertex to be seen in a pane of that shape. It counts from the last standpoint: turning
// does not zoom.
const fit = (aspect) => {
  const [yaw, pitch] = STANDPOINTS[standpoint];
  const { right, up, towards } = axesOf({ yaw, pitch });
  camera.distance = 0;
  for (let vertex = 0; 3 * vertex < shown.points.length; vertex++) {
    const offset = pointOf(shown.points, vertex).map((value, axis) => value - shown.centre[axis]);
    const reach = Math.max(Math.abs(dot(up, offset)), Math.abs(dot(right, offset)) / aspect);
    camera.distance = Math.max(camera.distance, (MARGIN * reach) / HALF_VIEW + dot(towards, offset));
  }
};
const turn = (yaw, pitch) => {
  camera.yaw += yaw;
  camera.pitch = clamp(camera.pitch + pitch, -STEEPEST, STEEPEST);
};
const zoom = (factor) => {
  isFitted = false;
  camera.distance = clamp(camera.distance * factor, NEAREST * shown.side, FARTHEST * shown.side);
};
// By px of a pane of that height.
const pan = (dx, dy, height) => {
  isFitted = false;
  const { right, up } = axesOf(camera);
  const unit = (2 * HALF_VIEW * camera.distance) / height;
  camera.centre = camera.centre.map((value, axis) => value - unit * (dx * right[axis] - dy * up[axis]));
};
// Turns to a standpoint; what the visitor zoomed to stays in the middle.
const stand = (name, aspect) => {
  standpoint = name;
  [camera.yaw, camera.pitch] = STANDPOINTS[name];
  if (isFitted) fit(aspect);
};
// The whole person, from the front.
const reset = (aspect) => {
  isFitted = true;
  camera.centre = [...shown.centre];
  stand("front", aspect);
};
