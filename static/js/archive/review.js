// The review queue by keys: arrows move, letters press the focused tile's own buttons.
import { bindKey } from "../keys.js";

const grid = document.getElementById("review-grid");
let current = null;

const tiles = () => [...(grid?.querySelectorAll(".review-tile") ?? [])];
const tile = () => document.activeElement?.closest?.(".review-tile") ?? document.getElementById(current) ?? tiles()[0];

function go(target) {
  if (!target) return;
  current = target.id;
  target.focus();
  target.scrollIntoView({ block: "nearest" });
}

/** The tile so many places on; rows are found by where tiles lie. */
function step(by) {
  const all = tiles();
  go(all[Math.min(Math.max(all.indexOf(tile()) + by, 0), all.length - 1)]);
}

function columns() {
  const all = tiles();
  const next = all.findIndex((one) => one.offsetTop > all[0].offsetTop);
  return next < 0 ? all.length : next;
}

function press(code) {
  const found = tile();
  const open = found?.querySelector("details.review-reject[open]");
  const button = (code.startsWith("Digit") ? open : found)?.querySelector(`[data-key="${code}"]`);
  if (!button) return;
  current = found.id;
  button.click();
  if (code === "KeyL") found.querySelector("details.review-label[open] input")?.focus();
}

for (const code of ["KeyA", "KeyR", "KeyL", "KeyU", ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `Digit${n}`)]) {
  bindKey(code, (event) => {
    // L must not be typed into the field it opens.
    event.preventDefault();
    press(code);
  });
}
bindKey("KeyS", () => step(1), { repeat: true });
bindKey("ArrowRight", (event) => { event.preventDefault(); step(1); }, { repeat: true });
bindKey("ArrowLeft", (event) => { event.preventDefault(); step(-1); }, { repeat: true });
bindKey("ArrowDown", (event) => { event.preventDefault(); step(columns()); }, { repeat: true });
bindKey("ArrowUp", (event) => { event.preventDefault(); step(-columns()); }, { repeat: true });
bindKey("Enter", () => {
  if (document.activeElement?.matches(".review-tile")) window.location.assign(document.activeElement.dataset.open);
});

// A decided tile is drawn anew: go on with the next one that is still to be decided.
document.addEventListener("htmx:afterSettle", () => {
  const all = tiles();
  const place = all.findIndex((one) => one.id === current);
  if (place < 0) return;
  const decided = !all[place].classList.contains("is-pending") && !all[place].querySelector("[role=alert]");
  const onward = decided ? all.slice(place + 1).find((one) => one.classList.contains("is-pending")) : all[place];
  go(onward ?? (decided ? document.getElementById("review-next") : null) ?? all[place]);
});
grid?.addEventListener("focusin", (event) => {
  const found = event.target.closest(".review-tile");
  if (found) current = found.id;
});
