// Picture 1: dragging the box, drawing a new one, choosing another person; by pointer and by keyboard.
const REACH = { mouse: 7, pen: 12, touch: 20 }; // px around an edge that hold it
const LEAST_DRAG = 3; // px; less is a click
const KEY_STEP = 0.01; // of the photo's longer side
const RESIZE_CURSORS = { "-1-1": "nwse-resize", "11": "nwse-resize", "-11": "nesw-resize", "1-1": "nesw-resize" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const boxLayer = element.querySelector(".box-layer");
const peopleLayer = element.querySelector(".people");
const revertButton = element.querySelector("[data-do=revert]");
let press = null; // {from, at, grip, box, isNew, isDrag} while a pointer is down on the photo

const cursorOf = (grip) => {
  if (!grip[0] && !grip[1]) return "move";
  return RESIZE_CURSORS[`${grip[0]}${grip[1]}`] ?? (grip[0] ? "ew-resize" : "ns-resize");
};
const boxText = () => {
  const [x0, y0, x1, y1] = currentBox().map(Math.round);
  return `${x1 - x0} × ${y1 - y0} px at (${x0}, ${y0})`;
};
const editBox = (box, ending = "; let go to reconstruct from it.") => {
  edited = box;
  revertButton.disabled = !edited;
  say("photo", edited ? `Box ${boxText()}${ending}` : photoHint());
  repaint("photo");
};
const sendBox = () => {
  trigger("box", { box: currentBox().map((value) => Math.round(value * 100) / 100) });
  say("photo", `Asked for ${boxText()}. Escape puts the box back.`);
};
const choose = (point) => {
  const [x, y] = point.map((value) => Math.round(value * 100) / 100);
  trigger("choose", { x, y });
};
// Two lines of a narrow card at most, as is all that stands there: a third would push the page down.
const photoHint = () => {
  const isFinger = matchMedia("(pointer: coarse)").matches;
  const others = scene.value.people.length ? ` ${isFinger ? "Tap" : "Click"} a yellow box to choose it.` : "";
  return isFinger
    ? `Drag an edge, or tap the box and drag it.${others}`
    : `Drag the box; Shift-drag draws a new one.${others}`;
};

// Lays the elements that take the keyboard's focus over what the canvas shows.
const placeBoxLayers = (view) => {
  const [x0, y0, x1, y1] = boxToFrame(view, currentBox());
  Object.assign(boxLayer.style, {
    left: `${x0}px`, top: `${y0}px`, width: `${x1 - x0}px`, height: `${y1 - y0}px`,
  });
  scene.value.people.forEach((box, index) => {
    const [left, top] = toFrame(view, box);
    Object.assign(peopleLayer.children[index].style, { left: `${left}px`, top: `${top}px` });
  });
};
const capitalised = (word) => word[0].toUpperCase() + word.slice(1);
const makePeople = () => {
  const { one, many } = bodyShown();
  peopleLayer.ariaLabel = `Other ${many} in the photo`;
  boxLayer.ariaLabel = boxLayer.ariaLabel.replace(/^\w+/, capitalised(one));
  peopleLayer.replaceChildren(...scene.value.people.map((_, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.ariaLabel = `${capitalised(bodyShown().one)} ${index + 2}: reconstruct this one`;
    button.addEventListener("click", () => choose(pointInPerson(index)));
    return button;
  }));
};

const controlBox = () => {
  const { canvas } = cards.photo;
  const gripOf = (event) => gripAt(liveView("photo"), pointOf(event, canvas), REACH[event.pointerType] ?? REACH.mouse);
  const photoPoint = (event) => toPhoto(liveView("photo"), pointOf(event, canvas));
  const point = (event) => {
    const grip = gripOf(event);
    const isOther = personAt(photoPoint(event)) >= 0;
    const isEdge = grip && (grip[0] || grip[1]);
    if (event.shiftKey) canvas.style.cursor = "crosshair";
    else if (isOther && !isEdge) canvas.style.cursor = "pointer";
    else canvas.style.cursor = grip ? cursorOf(grip) : "default";
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!scene || event.button || press) return;
    const grip = gripOf(event);
    // A finger inside the box scrolls the page, unless the box was tapped before.
    const isScroll = event.pointerType === "touch" && grip && !grip[0] && !grip[1]
      && document.activeElement !== boxLayer;
    press = {
      from: photoPoint(event), at: pointOf(event, canvas), grip: isScroll ? null : grip, before: edited,
      box: currentBox(), isNew: event.shiftKey, isDrag: false,
    };
    canvas.setPointerCapture(event.pointerId);
  });
  // Here, not at pointerdown: the browser moves the focus away between the two.
  canvas.addEventListener("mousedown", (event) => {
    if (!scene || !gripOf(event)) return;
    event.preventDefault();
    boxLayer.focus({ preventScroll: true });
  });
  canvas.addEventListener("touchstart", (event) => {
    if (press && (press.grip || press.isNew)) event.preventDefault();
  }, { passive: false });
  canvas.addEventListener("pointermove", (event) => {
    if (!scene) return;
    if (!press) {
      point(event);
      return;
    }
    const [x, y] = pointOf(event, canvas);
    press.isDrag ||= Math.hypot(x - press.at[0], y - press.at[1]) > LEAST_DRAG;
    if (!press.isDrag || !(press.grip || press.isNew)) return;
    const to = photoPoint(event);
    const step = [to[0] - press.from[0], to[1] - press.from[1]];
    editBox(press.isNew ? boxBetween(press.from, to) ?? press.before : moveBox(press.box, press.grip, step));
  });
  canvas.addEventListener("pointerup", () => {
    if (!press) return;
    const { from, isDrag, before } = press;
    press = null;
    if (!isDrag && personAt(from) >= 0) choose(from);
    if (isDrag && edited !== before) sendBox();
  });
  canvas.addEventListener("pointercancel", () => {
    if (press?.isDrag) editBox(press.before);
    press = null;
  });
  boxLayer.addEventListener("keydown", (event) => {
    if (!scene) return;
    const step = Math.max(1, KEY_STEP * Math.max(...scene.value.size));
    const arrow = ARROWS[event.key]?.map((value) => value * step);
    const grip = event.shiftKey ? [1, 1] : [0, 0];
    if (arrow) editBox(moveBox(currentBox(), grip, arrow), "; Enter reconstructs from it.");
    else if (event.key === "Enter") sendBox();
    else if (event.key === "Escape") editBox(null);
    else return;
    event.preventDefault();
  });
  for (const change of ["focus", "blur"]) boxLayer.addEventListener(change, () => repaint("photo"));
  revertButton.addEventListener("click", () => editBox(null));
};
