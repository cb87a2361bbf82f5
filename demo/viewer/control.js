// Mouse, touch, keys, buttons and the turntable.
const LEAST_DRAG = 4; // px; less is a click
const TURNTABLE = 0.7; // radians a second
const TURNTABLE_STEP = Math.PI / 6; // a press, for visitors who do not want motion

const buttonsOf = (choice) => Array.from(element.querySelectorAll(`[data-choice=${choice}]`));
const buttonFor = (value) => element.querySelector(`.viewer-bar [data-value=${value}]`);
const turnButton = buttonFor("turntable");
const prefersStillness = matchMedia("(prefers-reduced-motion: reduce)");
let isTurning = false;

const setTurning = (isOn) => {
  isTurning = isOn;
  turnButton.ariaPressed = String(isOn);
};
const turnTable = (last) => (now) => {
  if (!isTurning || !element.isConnected) return;
  turn((TURNTABLE * Math.min(now - last, 100)) / 1000, 0);
  paintAll();
  requestAnimationFrame(turnTable(now));
};
const toggleTurntable = () => {
  if (prefersStillness.matches) {
    turn(TURNTABLE_STEP, 0);
    repaint();
    return;
  }
  setTurning(!isTurning);
  if (isTurning) requestAnimationFrame((now) => requestAnimationFrame(turnTable(now)));
};
// What the visitor does by hand ends the turntable, and is seen with the next frame.
const byHand = (act) => {
  setTurning(false);
  act();
  repaint();
};

const placeOn = (plot, event) => {
  const { left, top } = plot.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
};
const viewOn = (plot) => viewOf(plot.clientWidth, plot.clientHeight);

const point = (slot, event, isPinned) => {
  if (!slot.pane) return;
  const vertex = vertexAt(slot.pane, viewOn(slot.plot), placeOn(slot.plot, event));
  if (vertex !== null) markVertex(slot.pane, vertex, isPinned);
  else if (isPinned || !mark?.isPinned) forget();
};
const controlPointer = (slot) => {
  const { plot } = slot;
  const pointers = new Map(); // those that are down: {x, y}
  let travelled = 0;
  let hadTwo = false;
  const spreadOf = () => {
    const [a, b] = [...pointers.values()];
    return Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1);
  };
  const drag = (event) => {
    const last = pointers.get(event.pointerId);
    const isTwo = pointers.size === 2;
    const before = isTwo ? spreadOf() : 0;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    travelled += Math.hypot(dx, dy);
    if (travelled < LEAST_DRAG) return;
    if (isTwo) {
      zoom(before / spreadOf());
      pan(dx / 2, dy / 2, plot.clientHeight); // each of the fingers tells of its own half of the way
      repaint();
    } else if (event.shiftKey || event.buttons === 2) {
      pan(dx, dy, plot.clientHeight);
      repaint();
    } else {
      byHand(() => turn(-0.01 * dx, 0.01 * dy));
    }
  };
  plot.addEventListener("pointerdown", (event) => {
    if (!pointers.size) [travelled, hadTwo] = [0, false];
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    hadTwo ||= pointers.size > 1;
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    if (pointers.has(event.pointerId)) drag(event);
    else if (event.pointerType === "mouse" && !mark?.isPinned) point(slot, event, false);
  });
  plot.addEventListener("pointerup", (event) => {
    const isClick = pointers.delete(event.pointerId) && travelled < LEAST_DRAG && !hadTwo && event.button === 0;
    if (isClick) point(slot, event, true);
  });
  plot.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
  plot.addEventListener("pointerleave", () => { if (!mark?.isPinned) forget(); });
  plot.addEventListener("contextmenu", (event) => event.preventDefault());
  // One finger up or down scrolls the page, two are for the camera alone.
  plot.addEventListener("touchstart", (event) => {
    if (event.touches.length > 1) event.preventDefault();
  }, { passive: false });
  plot.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(0.0012 * clamp(event.deltaY, -300, 300)));
    repaint();
  }, { passive: false });
};

const controlKeys = (slot) => {
  const keys = {
    ArrowLeft: () => byHand(() => turn(-0.15, 0)), ArrowRight: () => byHand(() => turn(0.15, 0)),
    ArrowUp: () => byHand(() => turn(0, 0.15)), ArrowDown: () => byHand(() => turn(0, -0.15)),
    "+": () => { zoom(0.87); repaint(); }, "=": () => { zoom(0.87); repaint(); },
    "-": () => { zoom(1.15); repaint(); },
    Home: () => byHand(() => reset(aspect())),
    Enter: () => slot.pane && markVertex(slot.pane, vertexAtMiddle(slot.pane, viewOn(slot.plot)), true),
    Escape: forget,
  };
  slot.plot.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
};

// The toolbar shows what is chosen; an error can be chosen where there is one.
const showChoices = () => {
  for (const choice of ["mesh", "shading", "colours"]) {
    for (const button of buttonsOf(choice)) button.ariaPressed = String(button.dataset.value === choices[choice]);
  }
  buttonFor("wireframe").ariaPressed = String(choices.wireframe);
  buttonFor("neighbourhood").ariaPressed = String(showsNeighbourhood);
  buttonFor("error").disabled = Boolean(scene) && !shownCards().some(({ pane }) => pane.shade);
};
const refit = () => { if (isFitted) fit(aspect()); };
const choose = (changes) => {
  Object.assign(choices, changes);
  if (scene) {
    dealPanes();
    keepMark();
    refit();
  }
  showChoices();
  repaint();
};

const toggles = {
  wireframe: () => choose({ wireframe: !choices.wireframe }),
  turntable: toggleTurntable,
  neighbourhood: () => {
    showsNeighbourhood = !showsNeighbourhood;
    showChoices();
    tell();
    repaint();
  },
};
const acts = {
  mesh: (mesh) => choose({ mesh }),
  shading: (shading) => choose({ shading }),
  colours: (colours) => choose({ colours }),
  toggle: (name) => toggles[name](),
  camera: (name) => byHand(() => (name === "reset" ? reset(aspect()) : stand(name, aspect()))),
};
const controlToolbar = () => {
  for (const [choice, act] of Object.entries(acts)) {
    for (const button of buttonsOf(choice)) button.addEventListener("click", () => act(button.dataset.value));
  }
};
