// What is shown: the picture with the mesh over it, and the mesh from another side.
const choices = { regularised: true, smooth: true, parts: false, mirrored: false, loop: true, opacity: 0.85 };
const lookAt = { yaw: 0.9, pitch: 0.12 }; // radians, of the side view
const SIDE_HEIGHT = 2.3; // m, that the side view shows
const EQ3 = { enabled: true, operator: "average", iterations: 1, strength: 1 };
const NO_WEBGL = "This browser has no WebGL 2, which drawing the mesh needs.";

const canvasOf = (name) => element.querySelector(`[data-view=${name}]`);
const say = (text) => {
  const line = element.querySelector(".motion-say");
  if (line.textContent !== text) line.textContent = text;
};
// Null, or {picture (drawable), size, person ({points, camera} or null), words}.
let shown = null;

const paint = () => {
  if (!shown) return;
  const { picture, size: [width, height], person, words } = shown;
  const canvas = canvasOf("picture");
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  pen.setTransform(choices.mirrored ? -1 : 1, 0, 0, 1, choices.mirrored ? width : 0, 0);
  pen.drawImage(picture, 0, 0, width, height);
  const side = canvasOf("side");
  const sidePen = side.getContext("2d");
  if (side.width !== 480) [side.width, side.height] = [480, 480];
  sidePen.clearRect(0, 0, 480, 480);
  if (person) {
    const surface = surfaceOf(choices.regularised ? shapes().regularised(person.points, EQ3) : person.points);
    const isDrawn = paintSurface(pen, surface, {
      camera: person.camera, byParts: choices.parts, opacity: choices.opacity,
    }, width, height);
    if (!isDrawn) say(NO_WEBGL);
    const scale = 480 / SIDE_HEIGHT;
    paintSurface(sidePen, surface, {
      camera: [scale, 240 / scale, 240 / scale], turn: turnOf(lookAt.yaw, lookAt.pitch), byParts: choices.parts,
    }, 480, 480);
  }
  canvas.ariaLabel = words;
  element.querySelector(".motion-view").classList.add("filled");
  element.dataset.paints = Number(element.dataset.paints || 0) + 1;
};
const show = (what) => {
  shown = what;
  paint();
};
const controlSide = () => {
  const side = canvasOf("side");
  const turn = (yaw, pitch) => {
    lookAt.yaw += yaw;
    lookAt.pitch = Math.max(-1.4, Math.min(1.4, lookAt.pitch + pitch));
    paint();
  };
  side.addEventListener("pointerdown", (event) => side.setPointerCapture(event.pointerId));
  side.addEventListener("pointermove", (event) => {
    if (side.hasPointerCapture(event.pointerId)) turn(-0.01 * event.movementX, 0.01 * event.movementY);
  });
  const keys = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.15], ArrowDown: [0, -0.15] };
  side.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    turn(...keys[event.key]);
  });
};
