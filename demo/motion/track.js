// A person's meshes over time: unpacked, smoothed, and how far the joints move from frame to frame.
const unpackHalf = (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const halves = new Uint16Array(bytes.buffer);
  return Float32Array.from(halves, (half) => {
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024;
    return half & 0x8000 ? -size : size;
  });
};
const personOf = ({ raw, camera }) => (raw ? { points: unpackHalf(raw), camera } : null);

// {seconds, raw, smooth} of each frame, raw and smooth {points, camera} or null where nobody was found.
const trackOf = (frames) => {
  const smoother = makeSmoother(props.settings.filter);
  return frames.map((frame) => {
    const raw = personOf(frame);
    if (!raw) smoother.reset();
    return { seconds: frame.seconds, raw, smooth: raw && smoother.next(raw.points, raw.camera, frame.seconds) };
  });
};
const jointRows = JSON.parse(props.settings.joints);
const jointsOf = (points) => jointRows.map((row) => {
  const place = [0, 0, 0];
  for (const [vertex, weight] of row) for (let axis = 0; axis < 3; axis++) place[axis] += weight * points[3 * vertex + axis];
  return place;
});
// Mean way of the joints since the frame before, m; null where it is not known. kind: "raw" or "smooth".
const waysOf = (track, kind) => {
  const joints = track.map((moment) => moment[kind] && jointsOf(moment[kind].points));
  return joints.map((now, index) => {
    const last = joints[index - 1];
    if (!now || !last) return null;
    return now.reduce((sum, joint, at) => sum + Math.hypot(...joint.map((value, axis) => value - last[at][axis])), 0) / now.length;
  });
};
