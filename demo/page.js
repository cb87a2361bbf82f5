// What the page does as a whole: pictures of all panels, the link, opening a link. Run once by Gradio.
const sideBySide = async () => {
  const urls = [await window.hmnetPhotos.picture(), await window.hmnetViewer.picture()];
  const images = await Promise.all(urls.map(async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  }));
  const width = Math.max(...images.map((image) => image.width));
  const canvas = document.createElement("canvas");
  const heights = images.map((image) => (image.height * width) / image.width);
  canvas.width = width;
  canvas.height = heights.reduce((a, b) => a + b, 0);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  let top = 0;
  images.forEach((image, index) => {
    pen.drawImage(image, 0, top, width, heights[index]);
    top += heights[index];
  });
  return canvas;
};

window.hmnetPage = {
  // The panels below one another, saved as one PNG.
  async savePicture() {
    const canvas = await sideBySide();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    const anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(blob);
    anchor.download = "humanmeshnet.png";
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
  },
  // A listener's inputs with the panels' pictures as the last two.
  async withPictures(inputs) {
    return [...inputs.slice(0, -2), await window.hmnetPhotos.picture(), await window.hmnetViewer.picture()];
  },
  // A listener's inputs with the view's state as the last.
  withView(inputs) {
    return [...inputs.slice(0, -1), JSON.stringify(window.hmnetViewer.state())];
  },
  // Where the server has the photo that stands in the input, or nothing.
  photoPath() {
    const address = document.querySelector("#photo-input img")?.src ?? "";
    return decodeURIComponent(address.split("/gradio_api/file=")[1] ?? "");
  },
  // The address with these settings, in the clipboard where the browser allows it and in the address bar.
  async copy(query) {
    const address = new URL(window.location.href);
    address.search = query;
    history.replaceState(null, "", address);
    const button = document.querySelector("#copy-link");
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(address.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "It is in the address bar";
    }
    setTimeout(() => { button.textContent = label; }, 2500);
  },
  // The lesson and the view that an address asked for.
  open(state) {
    if (!state) return;
    const { lesson, view } = JSON.parse(state);
    const viewer = window.hmnetViewer;
    if (!viewer) return;
    if (view) {
      try {
        viewer.restore(JSON.parse(view));
      } catch {
        // An address may say anything.
      }
    }
    if (lesson) viewer.layout(lesson);
  },
};

// Gradio tells a visitor's place in the queue in a small overlay of the status line, as "queue: 3/8 | 1.2s".
// While it does, Cancel stands in Reconstruct's place, and says how many are ahead.
const SOON = 400;  // ms; what takes no longer changes no button
const placeIn = (told) => {
  const place = told.match(/queue:\s*(\d+)/);
  if (!place) return "working";
  const ahead = Number(place[1]) - 1;
  return ahead ? `${ahead} ahead of you` : "you are next";
};
const waiting = { told: "", timer: null };
const showWaiting = () => {
  const controls = document.querySelector("#controls");
  const { told } = waiting;
  controls.classList.toggle("busy", Boolean(told));
  const text = told ? placeIn(told) : "";
  const line = document.querySelector("#waiting .waiting");
  if (line.textContent === text) return;
  line.textContent = text;
  document.querySelector("#cancel").textContent = text ? `Cancel (${text})` : "Cancel";
};
const noticeWaiting = () => {
  waiting.told = document.querySelector("#status .progress-text")?.textContent ?? "";
  if (!waiting.told || document.querySelector("#controls.busy")) {
    clearTimeout(waiting.timer);
    waiting.timer = null;
    showWaiting();
  } else {
    waiting.timer ??= setTimeout(showWaiting, SOON);
  }
};
const watchWaiting = () => {
  const status = document.querySelector("#status");
  if (!status || !document.querySelector("#waiting .waiting")) return void requestAnimationFrame(watchWaiting);
  new MutationObserver(noticeWaiting).observe(status, { childList: true, subtree: true, characterData: true });
};
watchWaiting();

document.addEventListener("click", (event) => {
  if (event.target.closest?.("#start-tour")) window.hmnetTour.start();
});
