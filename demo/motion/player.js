// A clip: the time line, playing, stepping.
const time = element.querySelector(".motion-time");
const slider = time.querySelector("[type=range]");
const playButton = time.querySelector("[data-act=play]");
let film = null; // {rate, size, frames, track, ways: {raw, smooth}, pictures (index to image)}
let at = 0; // the frame that is shown
let playing = 0; // counts plays, so that one that was stopped does not go on

const pictureAt = (index) => {
  film.pictures[index] ??= new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = film.frames[index].picture;
  });
  return film.pictures[index];
};
const goTo = async (index) => {
  const own = film;
  at = Math.max(0, Math.min(film.frames.length - 1, index));
  const wanted = at;
  const picture = await pictureAt(at);
  if (film !== own || at !== wanted || isLive()) return;
  slider.value = String(at);
  slider.ariaValueText = `frame ${at + 1} of ${film.frames.length}`;
  const moment = film.track[at];
  time.querySelector(".motion-now").textContent =
    `${moment.seconds.toFixed(2)} s · frame ${at + 1} of ${film.frames.length}${moment.raw ? "" : " · nobody found"}`;
  show({
    picture, size: film.size, person: choices.smooth ? moment.smooth : moment.raw,
    words: moment.raw ? `Frame ${at + 1} with the mesh over the person` : `Frame ${at + 1}: nobody was found`,
  });
  paintTrack();
};
const paintTrack = () => {
  const canvas = canvasOf("track");
  const width = canvas.clientWidth;
  if (!film || !width) return;
  [canvas.width, canvas.height] = [width, 56];
  const pen = canvas.getContext("2d");
  const last = Math.max(film.frames.length - 1, 1);
  const x = (index) => 8 + ((width - 16) * index) / last;
  pen.fillStyle = "#dc2626";
  film.track.forEach((moment, index) => { if (!moment.raw) pen.fillRect(x(index) - 2, 0, 4, 56); });
  const most = Math.max(0.01, ...film.ways.raw.filter((way) => way !== null));
  const accent = getComputedStyle(element).getPropertyValue("--color-accent") || "#0d9488";
  for (const [ways, lineWidth, alpha] of [[film.ways.raw, 1, 0.55], [film.ways.smooth, 2.5, 1]]) {
    pen.beginPath();
    ways.forEach((way, index) => {
      if (way === null) return;
      const y = 52 - (46 * way) / most;
      if (ways[index - 1] == null) pen.moveTo(x(index), y);
      else pen.lineTo(x(index), y);
    });
    pen.globalAlpha = alpha;
    pen.strokeStyle = accent;
    pen.lineWidth = lineWidth;
    pen.stroke();
  }
  pen.globalAlpha = 1;
  pen.fillStyle = getComputedStyle(element).color;
  pen.fillRect(x(at) - 0.5, 0, 1, 56);
};
const stop = () => {
  playing++;
  playButton.textContent = "Play";
};
const play = () => {
  stopCamera();
  const own = ++playing;
  playButton.textContent = "Pause";
  if (at >= film.frames.length - 1) at = 0;
  const speed = () => Number(time.querySelector("select").value);
  let [started, from] = [performance.now(), film.track[at].seconds];
  const tick = async (now) => {
    if (own !== playing || !element.isConnected) return;
    const moment = from + (speed() * (now - started)) / 1000;
    const next = film.track.findLastIndex(({ seconds }) => seconds <= moment);
    if (next !== at) await goTo(next);
    if (own !== playing) return;
    if (at >= film.frames.length - 1) {
      if (!choices.loop) return stop();
      [started, from] = [performance.now(), 0];
      await goTo(0);
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
};
const controlTime = () => {
  slider.addEventListener("input", () => { stop(); stopCamera(); goTo(Number(slider.value)); });
  playButton.addEventListener("click", () => (playButton.textContent === "Play" ? play() : stop()));
  time.querySelector("[data-act=back]").addEventListener("click", () => { stop(); goTo(at - 1); });
  time.querySelector("[data-act=on]").addEventListener("click", () => { stop(); goTo(at + 1); });
};
const takeFilm = () => {
  const value = props.value && JSON.parse(JSON.stringify(props.value));
  if (!value?.frames || value.token === film?.token) return;
  stop();
  stopCamera();
  const track = trackOf(value.frames);
  film = {
    ...value, track, pictures: [], ways: { raw: waysOf(track, "raw"), smooth: waysOf(track, "smooth") },
  };
  time.hidden = false;
  slider.max = String(film.frames.length - 1);
  setMirrored(false);
  say("");
  element.dataset.films = Number(element.dataset.films || 0) + 1;
  at = 0;
  goTo(0).then(play);
};
