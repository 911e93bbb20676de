// Goes to a moment by a link #t=123, by the lanes or by the keyboard, and shows the reader's position.
const controls = byId("controls");
const lanes = byId("lanes");
let here = null;

function show(line) {
  here?.classList.remove("here");
  here = line;
  here.classList.add("here");
  if (!lanes || line.dataset.t === undefined) return;
  const seconds = Number(line.dataset.t);
  lanes.setAttribute("aria-valuenow", line.dataset.t);
  lanes.setAttribute("aria-valuetext", clock(seconds));
  byId("head").style.left = `${100 * share(seconds)}%`;
}

// The browser guesses the height of lines that it has not drawn, so they grow while the page scrolls to them. Safari
// does not anchor its scrolling: the page scrolls again for some frames, unless the reader moves on meanwhile.
const FRAMES = 8;
let goal = null;

function goTo(line) {
  show(line);
  goal = line;
  let left = FRAMES;
  const approach = () => {
    if (goal !== line) return;
    line.scrollIntoView({ block: "start", behavior: "instant" });
    left -= 1;
    if (left > 0) requestAnimationFrame(approach);
    else goal = null;
  };
  approach();
}

for (const moves of ["wheel", "touchstart"]) addEventListener(moves, () => { goal = null; }, { passive: true });

function goToTime(seconds) {
  if (timed.length === 0) return;
  const line = lineAt(seconds);
  goTo(line);
  history.replaceState(null, "", `#t=${line.dataset.t}`);
}

const bounds = lanes && [Number(lanes.ariaValueMin), Number(lanes.ariaValueMax)];
const share = (seconds) => (seconds - bounds[0]) / (bounds[1] - bounds[0]);

function followLink() {
  const found = /^#t=(-?\d+(?:\.\d+)?)$/.exec(location.hash);
  if (!found || timed.length === 0) return;
  const line = lineAt(Number(found[1]));
  goTo(line);
  line.focus({ preventScroll: true });
}

addEventListener("hashchange", followLink);
const leaveRoom = () => document.documentElement.style.setProperty("--controls", `${controls.offsetHeight}px`);
new ResizeObserver(leaveRoom).observe(controls);
leaveRoom();

// The reader is at the first line that begins below the controls, or at one that fills the screen.
const lineInSight = () => {
  const { left, width, bottom } = controls.getBoundingClientRect();
  const line = document.elementFromPoint(left + width / 2, bottom + 12)?.closest("li.line");
  const next = line?.nextElementSibling;
  const isCut = line && line.getBoundingClientRect().top < bottom - 2;
  return isCut && next && next.getBoundingClientRect().bottom <= innerHeight ? next : line;
};

let waiting = false;
addEventListener("scroll", () => {
  if (waiting || goal) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (goal) return;
    const line = lineInSight();
    if (line && line !== here) show(line);
  });
}, { passive: true });

if (lanes) {
  const track = lanes.querySelector(".over");
  const pointer = byId("pointer");
  const timeUnder = (event) => {
    const { left, width } = track.getBoundingClientRect();
    const part = Math.min(Math.max((event.clientX - left) / width, 0), 1);
    return bounds[0] + part * (bounds[1] - bounds[0]);
  };
  lanes.addEventListener("pointermove", (event) => {
    const seconds = timeUnder(event);
    pointer.hidden = event.pointerType !== "mouse";
    pointer.value = clock(seconds);
    pointer.style.left = `clamp(1.6rem, ${100 * share(seconds)}%, 100% - 1.6rem)`;
    if (event.buttons === 1 && event.pointerType === "mouse") goToTime(seconds);
  });
  lanes.addEventListener("pointerleave", () => { pointer.hidden = true; });
  lanes.addEventListener("click", (event) => goToTime(timeUnder(event)));
  lanes.addEventListener("keydown", (event) => {
    if (event.target !== lanes) return; // the speakers scroll
    const place = Math.max(timed.indexOf(here), 0);
    const at = times[place];
    const last = times.length - 1;
    const target = {
      ArrowRight: times[Math.min(place + 1, last)], ArrowUp: times[Math.min(place + 1, last)],
      ArrowLeft: times[Math.max(place - 1, 0)], ArrowDown: times[Math.max(place - 1, 0)],
      PageUp: at + 60, PageDown: at - 60, Home: times[0], End: times[last],
    }[event.key];
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    goToTime(target);
  });
}

// j and k go from line to line, for readers who are in the transcript.
byId("transcript").addEventListener("keydown", (event) => {
  const step = { j: 1, k: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const line = lines[Math.min(Math.max(lines.indexOf(here) + step, 0), lines.length - 1)];
  goTo(line);
  line.focus({ preventScroll: true });
});

followLink();
