// The visitor's camera, live: one picture under way at a time, always the newest.
const SENT_SIDE = 384; // px of the longer side
const SENT_QUALITY = 0.75;
const PAUSE = 250; // ms, when the networks are busy
const cameraButton = element.querySelector("[data-act=camera]");
const video = document.createElement("video");
[video.muted, video.playsInline] = [true, true];
let stream = null;
let session = 0; // counts starts, so that an answer to a stopped camera is dropped

const isLive = () => stream !== null;
const PROBLEMS = {
  NotAllowedError: "The camera was not allowed: allow it in the browser's address bar, then start it again.",
  NotFoundError: "There is no camera on this device: use a clip instead.",
  NotReadableError: "Another program is using the camera: close it, then start again.",
};
const stopCamera = () => {
  session++;
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  cameraButton.textContent = "Start camera";
};
const startCamera = async () => {
  if (!navigator.mediaDevices?.getUserMedia) {
    say("A browser gives the camera to secure pages only: open this one by https, or on localhost.");
    return;
  }
  const own = ++session;
  stop();
  say("Waiting for the camera…");
  try {
    const found = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "user" } });
    if (own !== session) return found.getTracks().forEach((track) => track.stop());
    stream = found;
    video.srcObject = found;
    await video.play();
  } catch (error) {
    stopCamera();
    say(PROBLEMS[error.name] ?? `The camera cannot be started (${error.name}): try again.`);
    return;
  }
  cameraButton.textContent = "Stop camera";
  setMirrored(true);
  time.hidden = true;
  await look(own);
};
// Sends pictures one after the other until the camera is stopped.
const look = async (own) => {
  const grab = document.createElement("canvas");
  const smoother = makeSmoother(props.settings.filter);
  const laps = []; // ms from answer to answer, the last few
  let [box, last] = [null, performance.now()];
  while (own === session && element.isConnected) {
    const scale = Math.min(1, SENT_SIDE / Math.max(video.videoWidth, video.videoHeight));
    [grab.width, grab.height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    grab.getContext("2d").drawImage(video, 0, 0, grab.width, grab.height);
    const [picture, sent] = [await createImageBitmap(grab), performance.now()];
    let answer;
    try {
      answer = await server.answer({ picture: grab.toDataURL("image/jpeg", SENT_QUALITY), box });
    } catch {
      answer = { busy: "The server does not answer: trying again." };
    }
    if (own !== session) return;
    const now = performance.now();
    if (answer.problem) {
      stopCamera();
      say(answer.problem);
      return;
    }
    if (answer.busy) {
      say(answer.busy);
      await new Promise((done) => setTimeout(done, PAUSE));
      continue;
    }
    box = answer.box ?? null;
    const raw = personOf(answer);
    if (!raw) smoother.reset();
    const smooth = raw && smoother.next(raw.points, raw.camera, sent / 1000);
    show({
      picture, size: [grab.width, grab.height], person: choices.smooth ? smooth : raw,
      words: raw ? "The camera's picture with the mesh over you" : "The camera's picture: nobody is found",
    });
    laps.push(now - last);
    if (laps.length > 20) laps.shift();
    last = now;
    const rate = (1000 * laps.length) / laps.reduce((a, b) => a + b);
    element.dataset.rate = rate.toFixed(1);
    element.dataset.box = JSON.stringify(box);
    say(`${rate.toFixed(0)} frames a second · ${(now - sent).toFixed(0)} ms there and back · ${answer.ms.toFixed(0)} ms `
      + `in the networks${raw ? "" : " · nobody is found: step back until you are seen whole"}`);
    await new Promise(requestAnimationFrame);
  }
  if (own === session) stopCamera();
};
cameraButton.addEventListener("click", () => {
  if (!isLive()) {
    startCamera();
    return;
  }
  stopCamera();
  say("The camera is off.");
  time.hidden = !film;
});
