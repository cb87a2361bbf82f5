// The controls, the values, and what ends the camera.
const buttonOf = (name) => element.querySelector(`[data-toggle=${name}]`);
const refresh = () => {
  if (film && !isLive()) goTo(at);
  else paint();
};
const setToggle = (name, isOn) => {
  choices[name] = isOn;
  buttonOf(name).ariaPressed = String(isOn);
};
function setMirrored(isOn) {
  setToggle("mirrored", isOn);
}
for (const name of ["regularised", "smooth", "parts", "mirrored", "loop"]) {
  buttonOf(name).addEventListener("click", () => {
    setToggle(name, !choices[name]);
    refresh();
  });
}
const opacity = element.querySelector(".opacity input");
opacity.addEventListener("input", () => {
  choices.opacity = opacity.value / 100;
  paint();
});
controlSide();
controlTime();
new ResizeObserver(paintTrack).observe(time);
// Another tab of the page, or of the browser: nobody is looking, so nothing is filmed.
new IntersectionObserver((entries) => {
  if (entries.every((entry) => !entry.isIntersecting) && isLive()) stopCamera();
}).observe(element);
document.addEventListener("visibilitychange", () => { if (document.hidden && isLive()) stopCamera(); });
element.hmnet = { film: () => film, shown: () => shown, choices, makeSmoother, stopCamera };
watch("value", takeFilm);
takeFilm();
