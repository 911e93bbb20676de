// The lines of the transcript and their starts, in seconds since the session's start.
const byId = (id) => document.getElementById(id);
const lines = [...byId("lines").children];
const timed = lines.filter((line) => line.dataset.t !== undefined);
const times = timed.map((line) => Number(line.dataset.t));

function clock(seconds) {
  const total = Math.floor(Math.abs(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor(total / 60) % 60];
  const text = hours ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
  return seconds <= -1 ? `-${text}` : text;
}

// The last line that has begun by then, or the first.
function lineAt(seconds) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= seconds) low = middle + 1;
    else high = middle;
  }
  return timed[Math.max(low - 1, 0)];
}
