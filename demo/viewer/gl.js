// One WebGL2 canvas off the page, on which the panes are drawn in turn.
//
// The shader works in the eye's frame: x right, y up, z towards the viewer, metres. Three lights go with the
// viewer: a warm one from his left above, a cool one from his right, a third from behind for the outline.
const KINDS = { plain: 0, parts: 1, heat: 2, line: 3 };
const WIRES = { full: 0.34, template: 0.5 }; // opacity
const DARK = [0.04, 0.06, 0.12];
const PALE = [0.86, 0.9, 0.95]; // wires over a heatmap, whose low end is dark
const ATTRIBUTES = { position: 0, normal: 1, value: 2, part: 3 };
const NORMALS_IN_SHADER = "cross(dFdx(place), dFdy(place))";

const VERTEX_SHADER = `#version 300 es
layout(location = ${ATTRIBUTES.position}) in vec3 position;
layout(location = ${ATTRIBUTES.normal}) in vec3 normal;
layout(location = ${ATTRIBUTES.value}) in float value;
layout(location = ${ATTRIBUTES.part}) in uint part;
uniform mat3 axes;
uniform vec3 centre, depths; // depths: of the camera, of the nearest and of the farthest plane
uniform vec2 scale;
uniform float limit;
uniform vec3 partColours[32];
out vec3 place, facing;
out float heat;
out vec3 blendedPart;
flat out vec3 facePart;
void main() {
  vec3 seen = (position - centre) * axes;
  float depth = depths.x - seen.z;
  vec2 slope = vec2(depths.z + depths.y, -2.0 * depths.y * depths.z) / (depths.z - depths.y);
  gl_Position = vec4(scale * seen.xy, slope.x * depth + slope.y, depth);
  place = vec3(seen.xy, -depth);
  facing = normal * axes;
  heat = value / limit;
  blendedPart = facePart = partColours[part];
}`;
const FRAGMENT_SHADER = `#version 300 es
precision highp float;
in vec3 place, facing;
in float heat;
in vec3 blendedPart;
flat in vec3 facePart;
uniform int kind;
uniform bool isFlat;
uniform vec3 colour;
uniform vec4 line;
uniform sampler2D heatScale;
out vec4 painted;
const vec3 KEY = normalize(vec3(-0.5, 0.75, 0.8)), FILL = normalize(vec3(0.85, 0.1, 0.55));
const vec3 RIM = normalize(vec3(0.15, 0.55, -0.85));
void main() {
  if (kind == ${KINDS.line}) {
    painted = vec4(line.rgb * line.a, line.a);
    return;
  }
  vec3 eye = normalize(-place);
  vec3 n = normalize(isFlat ? ${NORMALS_IN_SHADER} : facing);
  if (dot(n, eye) < 0.0 && isFlat) n = -n;
  vec3 base = kind == ${KINDS.parts} ? (isFlat ? facePart : blendedPart)
    : kind == ${KINDS.heat} ? texture(heatScale, vec2(clamp(heat, 0.0, 1.0) * 255.0 / 256.0 + 0.5 / 256.0, 0.5)).rgb
    : colour;
  vec3 light = mix(vec3(0.20, 0.19, 0.20), vec3(0.36, 0.38, 0.42), 0.5 + 0.5 * n.y);
  light += vec3(0.72, 0.69, 0.64) * max(dot(n, KEY), 0.0);
  light += vec3(0.16, 0.19, 0.24) * max(dot(n, FILL), 0.0);
  light += vec3(0.30, 0.31, 0.33) * max(dot(n, RIM), 0.0) * pow(1.0 - max(dot(n, eye), 0.0), 2.0);
  float gloss = 0.10 * pow(max(dot(n, normalize(KEY + eye)), 0.0), 28.0);
  if (kind == ${KINDS.heat}) {
    // The colour is to be read off the bar: only a little shading is left.
    light = mix(vec3(1.0), light, 0.3);
    gloss = 0.0;
  }
  vec3 linear = pow(base, vec3(2.2)) * light + gloss;
  painted = vec4(pow(linear, vec3(1.0 / 2.2)), 1.0);
}`;

const rgbOf = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);

const sheet = document.createElement("canvas");
const gl = sheet.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: true });
let painter = null; // {uniforms, faces, edges, parts}: what is made once for a body; anew after a lost context

const compile = () => {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The 3D view's shaders do not compile: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
};
const makeHeatScale = () => {
  const strip = document.createElement("canvas");
  [strip.width, strip.height] = [256, 1];
  const pen = strip.getContext("2d");
  const gradient = pen.createLinearGradient(0, 0, 256, 0);
  for (const [at, colour] of props.surfaces.colour_scale) gradient.addColorStop(at, colour);
  pen.fillStyle = gradient;
  pen.fillRect(0, 0, 256, 1);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, strip);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
};
const fill = (target, data) => {
  const buffer = gl.createBuffer();
  gl.bindBuffer(target, buffer);
  gl.bufferData(target, data, gl.STATIC_DRAW);
  return buffer;
};
// Puts the shown body's triangles, wires and parts on the graphics card, in the place of another one's.
const loadBody = () => {
  const each = (make) => Object.fromEntries(Object.values(meshes).map((mesh) => [mesh.name, make(mesh)]));
  gl.bindVertexArray(null);
  for (const kind of ["faces", "edges", "parts"]) Object.values(painter[kind] ?? {}).forEach((one) => gl.deleteBuffer(one));
  Object.assign(painter, {
    faces: each(({ faces }) => fill(gl.ELEMENT_ARRAY_BUFFER, faces)),
    edges: each(({ edges }) => fill(gl.ELEMENT_ARRAY_BUFFER, edges)),
    parts: each(({ parts }) => fill(gl.ARRAY_BUFFER, parts)),
  });
  gl.uniform3fv(painter.uniforms.partColours, body.part_colours.flatMap(rgbOf));
};
const setUp = () => {
  const program = compile();
  gl.useProgram(program);
  const names = [
    "axes", "centre", "depths", "scale", "limit", "partColours", "kind", "isFlat", "colour", "line",
  ];
  const uniforms = Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)]));
  makeHeatScale();
  gl.enable(gl.DEPTH_TEST);
  gl.depthFunc(gl.LEQUAL);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  gl.polygonOffset(1, 1); // surfaces step back behind their own wires
  painter = { uniforms };
  loadBody();
};

// Buffers for one surface of that mesh, which `load` fills.
const makeModel = (mesh) => {
  const model = { mesh, array: gl.createVertexArray(), loaded: null };
  gl.bindVertexArray(model.array);
  gl.bindBuffer(gl.ARRAY_BUFFER, painter.parts[mesh]);
  gl.enableVertexAttribArray(ATTRIBUTES.part);
  gl.vertexAttribIPointer(ATTRIBUTES.part, 1, gl.UNSIGNED_BYTE, 0, 0);
  for (const [name, width] of [["position", 3], ["normal", 3], ["value", 1]]) {
    model[name] = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, model[name]);
    gl.enableVertexAttribArray(ATTRIBUTES[name]);
    gl.vertexAttribPointer(ATTRIBUTES[name], width, gl.FLOAT, false, 0, 0);
  }
  return model;
};
const load = (model, surface) => {
  if (model.loaded === surface) return;
  const values = surface.values ?? new Float32Array(surface.points.length / 3);
  for (const [name, data] of [["position", surface.points], ["normal", surface.normals], ["value", values]]) {
    gl.bindBuffer(gl.ARRAY_BUFFER, model[name]);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
  }
  model.loaded = surface;
};

// Draws a model on the sheet, `width` times `height` pixels, whatever the view's size on the page is.
// look: {kind, colour, limit, isFlat, wireframe}.
const paintModel = (model, view, look, width, height) => {
  if (sheet.width !== width || sheet.height !== height) [sheet.width, sheet.height] = [width, height];
  const { uniforms } = painter;
  gl.viewport(0, 0, width, height);
  gl.clearColor(0, 0, 0, 0);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.uniformMatrix3fv(uniforms.axes, false, [...view.right, ...view.up, ...view.towards]);
  gl.uniform3fv(uniforms.centre, view.centre);
  gl.uniform3f(uniforms.depths, view.distance, view.distance / 50, view.distance + 8 * shown.side);
  gl.uniform2f(uniforms.scale, (2 * view.focal) / view.width, (2 * view.focal) / view.height);
  gl.uniform1i(uniforms.kind, KINDS[look.kind]);
  gl.uniform1i(uniforms.isFlat, look.isFlat ? 1 : 0);
  gl.uniform3fv(uniforms.colour, rgbOf(look.colour));
  gl.uniform1f(uniforms.limit, look.limit);
  gl.bindVertexArray(model.array);
  gl.disable(gl.BLEND);
  if (look.wireframe) gl.enable(gl.POLYGON_OFFSET_FILL);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, painter.faces[model.mesh]);
  gl.drawElements(gl.TRIANGLES, meshes[model.mesh].faces.length, gl.UNSIGNED_SHORT, 0);
  gl.disable(gl.POLYGON_OFFSET_FILL);
  if (!look.wireframe) return;
  gl.enable(gl.BLEND);
  gl.uniform1i(uniforms.kind, KINDS.line);
  gl.uniform4f(uniforms.line, ...(look.kind === "heat" ? PALE : DARK), WIRES[model.mesh]);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, painter.edges[model.mesh]);
  gl.drawElements(gl.LINES, meshes[model.mesh].edges.length, gl.UNSIGNED_SHORT, 0);
};
