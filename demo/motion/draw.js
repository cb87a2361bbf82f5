// A mesh drawn by WebGL2 through a weak perspective, on a canvas off the page.
//
// The camera frame has x right, y down, z away; a view is a turn about the pelvis, then a camera [s, tx, ty].
const SHADERS = [`#version 300 es
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in uint part;
uniform mat3 turn;
uniform vec3 camera; // s, tx, ty
uniform vec2 size; // px
uniform vec3 partColours[32];
out vec3 facing, partColour;
void main() {
  vec3 seen = turn * position;
  vec2 pixel = camera.x * (seen.xy + camera.yz);
  gl_Position = vec4(2.0 * pixel.x / size.x - 1.0, 1.0 - 2.0 * pixel.y / size.y, seen.z / 4.0, 1.0);
  facing = turn * normal;
  partColour = partColours[part];
}`, `#version 300 es
precision highp float;
in vec3 facing, partColour;
uniform bool byParts;
uniform vec3 colour;
out vec4 painted;
const vec3 KEY = normalize(vec3(-0.6, -0.8, -0.8)), FILL = normalize(vec3(0.9, -0.1, -0.55));
const vec3 RIM = normalize(vec3(0.35, -0.6, 0.75));
void main() {
  vec3 n = normalize(facing);
  float light = 0.22 + 0.8 * max(dot(n, KEY), 0.0) + 0.26 * max(dot(n, FILL), 0.0) + 0.3 * max(dot(n, RIM), 0.0);
  painted = vec4(pow(pow(byParts ? partColour : colour, vec3(2.2)) * light, vec3(1.0 / 2.2)), 1.0);
}`];
const BODY_COLOUR = [186 / 255, 200 / 255, 222 / 255];

const sheet = document.createElement("canvas");
const gl = sheet.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: true });
// The linked 3D view has the meshes already; nothing is sent twice.
const shapes = () => window.hmnetViewer?.shapes;
let brush = null; // {uniforms, position, normal, count}; made with the first mesh

const makeBrush = () => {
  const { faces, parts, partColours } = shapes().full;
  const program = gl.createProgram();
  [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER].forEach((type, index) => {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, SHADERS[index]);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  });
  gl.linkProgram(program);
  gl.useProgram(program);
  const names = ["turn", "camera", "size", "partColours", "byParts", "colour"];
  const uniforms = Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)]));
  gl.uniform3fv(uniforms.partColours, partColours);
  gl.uniform3fv(uniforms.colour, BODY_COLOUR);
  const buffer = (target, data) => {
    const made = gl.createBuffer();
    gl.bindBuffer(target, made);
    if (data) gl.bufferData(target, data, gl.STATIC_DRAW);
    return made;
  };
  const attribute = (index, data, point) => {
    const made = buffer(gl.ARRAY_BUFFER, data);
    gl.enableVertexAttribArray(index);
    point(index);
    return made;
  };
  const floats = (index) => gl.vertexAttribPointer(index, 3, gl.FLOAT, false, 0, 0);
  const [position, normal] = [attribute(0, null, floats), attribute(1, null, floats)];
  attribute(2, parts, (index) => gl.vertexAttribIPointer(index, 1, gl.UNSIGNED_BYTE, 0, 0));
  buffer(gl.ELEMENT_ARRAY_BUFFER, faces);
  gl.enable(gl.DEPTH_TEST);
  brush = { uniforms, position, normal, count: faces.length };
};
sheet.addEventListener("webglcontextlost", (event) => { event.preventDefault(); brush = null; });

// The full surface of template points, with normals: made once for each pose, drawn from two sides.
const surfaceOf = (points) => {
  const full = shapes().upsample(points);
  return { points: full, normals: shapes().normalsOf(full, shapes().full.faces) };
};
const turnOf = (yaw, pitch) => {
  const [sy, cy, sp, cp] = [Math.sin(yaw), Math.cos(yaw), Math.sin(pitch), Math.cos(pitch)];
  return [cy, sy * sp, sy * cp, 0, cp, -sp, -sy, cy * sp, cy * cp]; // column by column
};
// Paints a surface on a 2D context of `width` times `height` px; returns whether there is a WebGL 2 to do it.
const paintSurface = (pen, surface, { camera, turn = turnOf(0, 0), byParts, opacity = 1 }, width, height) => {
  if (!gl || !shapes()) return false;
  if (!brush) makeBrush();
  if (sheet.width !== width || sheet.height !== height) [sheet.width, sheet.height] = [width, height];
  gl.viewport(0, 0, width, height);
  gl.clearColor(0, 0, 0, 0);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.uniformMatrix3fv(brush.uniforms.turn, false, turn);
  gl.uniform3fv(brush.uniforms.camera, camera);
  gl.uniform2f(brush.uniforms.size, width, height);
  gl.uniform1i(brush.uniforms.byParts, byParts ? 1 : 0);
  for (const [buffer, data] of [[brush.position, surface.points], [brush.normal, surface.normals]]) {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
  }
  gl.drawElements(gl.TRIANGLES, brush.count, gl.UNSIGNED_SHORT, 0);
  pen.globalAlpha = opacity;
  pen.drawImage(sheet, 0, 0);
  pen.globalAlpha = 1;
  return true;
};
