// A short tour: a card beside one element after the other, while the page stays usable. Run once by Gradio.
// The steps are `props.tour`, a list of {selector, title, text}. It opens by itself on a first visit, and
// with ?tour=1 in the address; never by itself under automation. `window.hmnetTour.start()` runs it again.
if (!window.hmnetTour) {
  const KEY = "hmnet-tour";
  const GAP = 12; // px between element, card and window
  const RING = 5; // px from an element to the ring around it
  const NARROW = 640; // px; up to here the card lies at the window's foot, or head
  const PATIENCE = 20_000; // ms that the page may take until the first element is there
  const steps = JSON.parse(JSON.stringify(props.tour ?? []));
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let at = -1; // the step shown; -1 while closed
  let target = null;
  let opener = null; // had the focus before
  let frame = 0;

  const make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const count = make("p", { class: "tour-count" });
  const title = make("h2", { id: "tour-title" });
  const text = make("p", { id: "tour-text" });
  const skip = make("button", { type: "button", class: "tour-skip" }, "Skip");
  const back = make("button", { type: "button" }, "Back");
  const next = make("button", { type: "button", class: "tour-next" }, "Next");
  const ring = make("div", { class: "tour-ring", "aria-hidden": "true" });
  const card = make(
    "div",
    { class: "tour-card", role: "dialog", "aria-modal": "false", tabindex: "-1",
      "aria-labelledby": "tour-title", "aria-describedby": "tour-text" },
    make("div", { "aria-live": "polite" }, count, title, text),
    make("div", { class: "tour-buttons" }, skip, back, next),
  );

  // Gradio lays some elements out twice, once hidden to measure them.
  const find = ({ selector }) => [...document.querySelectorAll(selector)].find(
    (one) => one.getClientRects().length && !one.closest(".visually-hidden")
      && one.checkVisibility({ visibilityProperty: true }),
  );
  // The first step that is on the page, from `from` on in steps of `by`; -1 where there is none.
  const search = (from, by) => {
    for (let index = from; index >= 0 && index < steps.length; index += by) {
      if (find(steps[index])) return index;
    }
    return -1;
  };

  const clamp = (value, low, high) => Math.max(low, Math.min(value, high));
  // Where the card hides nothing of the element: below, above, right or left of it; else in the corner.
  const cardPlace = (box, width, height) => {
    const [right, bottom] = [window.innerWidth - GAP - width, window.innerHeight - GAP - height];
    if (window.innerWidth <= NARROW) {
      const hides = box.bottom > bottom && box.top >= GAP + height;
      return [GAP, hides ? GAP : bottom];
    }
    const places = [
      [box.left, box.bottom + GAP], [box.left, box.top - GAP - height],
      [box.right + GAP, box.top], [box.left - GAP - width, box.top],
    ];
    if (!box.width) return [right, bottom]; // hidden meanwhile, in another tab
    // Along the element the card may slide, away from it not.
    const fits = ([left, top], index) => (index < 2 ? top >= GAP && top <= bottom : left >= GAP && left <= right);
    const [left, top] = places.find(fits) ?? [right, bottom];
    return [clamp(left, GAP, right), clamp(top, GAP, bottom)];
  };
  // The page moves while results arrive: ring and card follow at every frame.
  const follow = () => {
    frame = requestAnimationFrame(follow);
    const box = target.getBoundingClientRect();
    const [left, top] = [Math.max(box.left - RING, 2), Math.max(box.top - RING, 2)];
    const right = Math.min(box.right + RING, document.documentElement.clientWidth - 2);
    const bottom = Math.min(box.bottom + RING, window.innerHeight - 2);
    ring.hidden = !box.width || right <= left || bottom <= top;
    Object.assign(ring.style, {
      left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px`,
    });
    const [x, y] = cardPlace(box, card.offsetWidth, card.offsetHeight);
    Object.assign(card.style, { left: `${x}px`, top: `${y}px` });
  };

  const show = (index) => {
    at = index;
    target = find(steps[at]);
    const there = steps.filter(find);
    count.textContent = `Step ${there.indexOf(steps[at]) + 1} of ${there.length}`;
    title.textContent = steps[at].title;
    text.textContent = steps[at].text;
    const first = search(at - 1, -1) < 0;
    // Before it is disabled, which takes the focus from it.
    if (first && document.activeElement === back) next.focus({ preventScroll: true });
    back.disabled = first;
    next.textContent = search(at + 1, 1) < 0 ? "Done" : "Next";
    const tall = target.getBoundingClientRect().height > 0.6 * window.innerHeight;
    target.scrollIntoView({
      block: tall || window.innerWidth <= NARROW ? "start" : "center",
      behavior: still.matches ? "instant" : "smooth",
    });
  };
  const move = (by) => {
    const index = search(at + by, by);
    if (index >= 0) show(index);
    else if (by > 0) stop();
  };
  const closeByKey = (event) => {
    if (event.key === "Escape") stop();
  };

  const start = () => {
    if (at >= 0) stop();
    const first = search(0, 1);
    if (first < 0) return false;
    remember();
    opener = document.activeElement;
    next.textContent = "Next";
    show(first);
    // Within Gradio's own element, so that the style sheet's @media rules hold for it.
    (document.querySelector(".gradio-container .contain") ?? document.body).append(ring, card);
    document.addEventListener("keydown", closeByKey);
    follow();
    card.focus({ preventScroll: true });
    return true;
  };
  function stop() {
    if (at < 0) return;
    const inside = card.contains(document.activeElement);
    at = -1;
    cancelAnimationFrame(frame);
    document.removeEventListener("keydown", closeByKey);
    card.remove();
    ring.remove();
    if (inside && opener?.isConnected) opener.focus({ preventScroll: true });
  }

  // Storage may be forbidden: then every visit is the first, and the tour waits to be asked for.
  function remember() {
    try {
      window.localStorage.setItem(KEY, "seen");
    } catch {
      // Nothing to remember it in.
    }
  }
  const unseen = () => {
    try {
      return !window.localStorage.getItem(KEY);
    } catch {
      return false;
    }
  };
  const openWhenReady = () => {
    const since = performance.now();
    const look = () => {
      if (at >= 0) return;
      if (steps[0] && find(steps[0])) start();
      else if (performance.now() - since < PATIENCE) setTimeout(look, 250);
    };
    look();
  };

  skip.addEventListener("click", stop);
  back.addEventListener("click", () => move(-1));
  next.addEventListener("click", () => move(1));
  window.hmnetTour = { start, stop };
  const asked = new URLSearchParams(window.location.search).get("tour") === "1";
  if (asked || (unseen() && !navigator.webdriver)) openWhenReady();
}
