// Picture 4: the mesh over the photo, and the line that sweeps it off.
const SWIPE_KEYS = {
  ArrowLeft: (at) => at - 2, ArrowDown: (at) => at - 2, ArrowRight: (at) => at + 2, ArrowUp: (at) => at + 2,
  PageDown: (at) => at - 10, PageUp: (at) => at + 10, Home: () => 0, End: () => 100,
};

const swipe = element.querySelector(".swipe");

const paintMesh = (pen, view) => {
  paintPhoto(pen, view);
  if (!scene.overlay) return;
  const free = (view.width * choices.swipe) / 100;
  const [x0, y0, x1, y1] = boxToFrame(view, scene.value.overlay.window);
  withinPhoto(pen, view, () => {
    pen.beginPath();
    pen.rect(view.left + free, view.top, view.width - free, view.height);
    pen.clip();
    pen.globalAlpha = choices.opacity.mesh / 100;
    pen.drawImage(scene.overlay, x0, y0, x1 - x0, y1 - y0);
  });
};
const placeSwipe = (view) => {
  Object.assign(swipe.style, {
    left: `${view.left + (view.width * choices.swipe) / 100}px`, top: `${view.top}px`, height: `${view.height}px`,
  });
  const free = Math.round(choices.swipe);
  swipe.ariaValueNow = String(free);
  swipe.ariaValueText = `${free}% photo, ${100 - free}% with the mesh`;
};
const setSwipe = (share) => {
  choices.swipe = clamp(share, 0, 100);
  repaint("mesh");
};
const controlSwipe = () => {
  const { canvas } = cards.mesh;
  swipe.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    swipe.setPointerCapture(event.pointerId);
  });
  swipe.addEventListener("pointermove", (event) => {
    if (!scene || !swipe.hasPointerCapture(event.pointerId)) return;
    const view = liveView("mesh");
    setSwipe((100 * (pointOf(event, canvas)[0] - view.left)) / view.width);
  });
  swipe.addEventListener("keydown", (event) => {
    const move = SWIPE_KEYS[event.key];
    if (!scene || !move) return;
    event.preventDefault();
    setSwipe(move(choices.swipe));
  });
};
const tellMesh = () => {
  say("mesh", scene.overlay ? "Drag the line: the photo is left of it, the mesh right of it."
    : "The mesh lies outside the photo.");
};
const describeMesh = () => {
  if (!scene.overlay) return "The photo; the mesh lies outside it";
  const free = Math.round(choices.swipe);
  return `The photo with the mesh over it, ${choices.opacity.mesh}% opaque`
    + (free ? `; the ${free}% on the left show the photo alone` : "");
};
