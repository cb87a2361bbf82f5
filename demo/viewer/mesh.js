// Gradio runs these files as one, once, with `element`, `props`, `watch` and `trigger`.
//
// Meshes as numbers: what is sent once, the full surface from the template's vertices, normals, one-rings and
// the regulariser. Points lie one after the other, x y z each, in metres; nothing here draws.
const PASS_BAND = 0.1; // of Taubin's operator, as in hmnet/mesh.py

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const unpack = (text, Type) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Type(bytes.buffer);
};

// Each edge of triangles once, as pairs of vertices, the smaller first.
const edgesOf = (faces) => {
  const seen = new Set();
  for (let at = 0; at < faces.length; at += 3) {
    for (let corner = 0; corner < 3; corner++) {
      const [a, b] = [faces[at + corner], faces[at + ((corner + 1) % 3)]];
      seen.add(a < b ? a * 65536 + b : b * 65536 + a);
    }
  }
  const edges = new Uint16Array(2 * seen.size);
  let at = 0;
  for (const key of seen) {
    edges[at++] = key >>> 16;
    edges[at++] = key & 65535;
  }
  return edges;
};
// One-rings: the neighbours of vertex i are members[starts[i]] to members[starts[i + 1] - 1].
const ringsOf = (edges, count) => {
  const starts = new Uint32Array(count + 1);
  for (const vertex of edges) starts[vertex + 1]++;
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i];
  const next = starts.slice();
  const members = new Uint16Array(edges.length);
  for (let at = 0; at < edges.length; at += 2) {
    members[next[edges[at]]++] = edges[at + 1];
    members[next[edges[at + 1]]++] = edges[at];
  }
  return { starts, members };
};
const ringOf = ({ starts, members }, vertex) => members.subarray(starts[vertex], starts[vertex + 1]);

// A body's surfaces from what was sent of it: {name, meshes, upsampling, and its words and colours}.
const makeBody = (name) => {
  const { full, template, upsampling: sent, ...others } = props.surfaces.bodies[name];
  const made = Object.entries({ full, template }).map(([mesh, packed]) => {
    const faces = unpack(packed.faces, Uint16Array);
    const parts = unpack(packed.parts, Uint8Array);
    const edges = edgesOf(faces);
    return [mesh, { name: mesh, faces, parts, edges, count: parts.length, rings: ringsOf(edges, parts.length) }];
  });
  return {
    ...others, name, meshes: Object.fromEntries(made),
    upsampling: {
      counts: unpack(sent.counts, Uint8Array), // of entries, row by row
      columns: unpack(sent.columns, Uint16Array),
      weights: unpack(sent.weights, Float32Array),
    },
  };
};
const bodies = {}; // by name, each made when it is first shown
const FIRST_BODY = Object.keys(props.surfaces.bodies)[0];
let body; // the one that is shown, and what of it is wanted most
let meshes;
let upsampling;
const takeBody = (name) => {
  body = bodies[name] ??= makeBody(name);
  ({ meshes, upsampling } = body);
};
takeBody(FIRST_BODY);

const upsample = (points, { counts, columns, weights } = upsampling) => {
  const full = new Float32Array(3 * counts.length);
  let at = 0;
  for (let row = 0; row < counts.length; row++) {
    let [x, y, z] = [0, 0, 0];
    for (const end = at + counts[row]; at < end; at++) {
      const weight = weights[at];
      const from = 3 * columns[at];
      x += weight * points[from];
      y += weight * points[from + 1];
      z += weight * points[from + 2];
    }
    full[3 * row] = x;
    full[3 * row + 1] = y;
    full[3 * row + 2] = z;
  }
  return full;
};
// Values on the full surface, never beyond their range as vertices may be: the weights' signs are dropped.
const spread = (values) => {
  const { counts, columns, weights } = upsampling;
  const full = new Float32Array(counts.length);
  let at = 0;
  for (let row = 0; row < counts.length; row++) {
    let [sum, total] = [0, 0];
    for (const end = at + counts[row]; at < end; at++) {
      const weight = Math.abs(weights[at]);
      sum += weight * values[columns[at]];
      total += weight;
    }
    full[row] = sum / total;
  }
  return full;
};

// Outward normals weighted by the faces' areas; their length means nothing.
const normalsOf = (points, faces) => {
  const normals = new Float32Array(points.length);
  for (let at = 0; at < faces.length; at += 3) {
    const [a, b, c] = [3 * faces[at], 3 * faces[at + 1], 3 * faces[at + 2]];
    const [ux, uy, uz] = [points[b] - points[a], points[b + 1] - points[a + 1], points[b + 2] - points[a + 2]];
    const [vx, vy, vz] = [points[c] - points[a], points[c + 1] - points[a + 1], points[c + 2] - points[a + 2]];
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    normals[a] += nx; normals[a + 1] += ny; normals[a + 2] += nz;
    normals[b] += nx; normals[b + 1] += ny; normals[b + 2] += nz;
    normals[c] += nx; normals[c + 1] += ny; normals[c + 2] += nz;
  }
  return normals;
};

const pointOf = (points, vertex) => [points[3 * vertex], points[3 * vertex + 1], points[3 * vertex + 2]];
const distanceBetween = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const nearestTo = (points, place) => {
  let [best, least] = [0, Infinity];
  for (let vertex = 0; 3 * vertex < points.length; vertex++) {
    const distance = distanceBetween(pointOf(points, vertex), place);
    if (distance < least) [best, least] = [vertex, distance];
  }
  return best;
};
const ringMean = (points, members) => {
  const mean = [0, 0, 0];
  for (const member of members) {
    for (let axis = 0; axis < 3; axis++) mean[axis] += points[3 * member + axis] / members.length;
  }
  return mean;
};

// v <- (1 - step) v + step * mean of the neighbours, for every vertex at once.
const averaged = (points, { starts, members }, step) => {
  const moved = new Float32Array(points.length);
  for (let vertex = 0; vertex + 1 < starts.length; vertex++) {
    let [x, y, z] = [0, 0, 0];
    for (let at = starts[vertex]; at < starts[vertex + 1]; at++) {
      const from = 3 * members[at];
      x += points[from];
      y += points[from + 1];
      z += points[from + 2];
    }
    const share = step / (starts[vertex + 1] - starts[vertex]);
    const to = 3 * vertex;
    moved[to] = (1 - step) * points[to] + share * x;
    moved[to + 1] = (1 - step) * points[to + 1] + share * y;
    moved[to + 2] = (1 - step) * points[to + 2] + share * z;
  }
  return moved;
};
// The steps of one iteration: Taubin's second one pushes back what the first has shrunk.
const stepsOf = ({ operator, strength }) => {
  if (operator !== "taubin") return [strength];
  const towards = strength / 2;
  return [towards, towards / (PASS_BAND * towards - 1)];
};
const regularised = (points, lab, { rings } = meshes.template) => {
  let moved = points;
  for (let done = 0; lab.enabled && done < lab.iterations; done++) {
    for (const step of stepsOf(lab)) moved = averaged(moved, rings, step);
  }
  return moved;
};
