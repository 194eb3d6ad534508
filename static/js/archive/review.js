// The review queue by keys: arrows move, letters press the current tile's own buttons.
import { bindKey } from "../keys.js";
import { announce, toast } from "../toast.js";

const grid = document.getElementById("review-grid");
const relabel = document.getElementById("review-relabel");
const done = document.getElementById("review-done");
let current = null;
// The tile decided last, for Undo after the focus has gone on.
let last = null;

const tiles = () => [...(grid?.querySelectorAll(".review-tile") ?? [])];
const focused = () => document.activeElement?.closest?.(".review-tile");
const tile = () => focused() ?? document.getElementById(current) ?? tiles()[0];
const isPending = (one) => one.classList.contains("is-pending");

function go(target) {
  if (!target) return;
  if (target.matches(".review-tile")) current = target.id;
  target.focus();
  target.scrollIntoView({ block: "nearest" });
}

/** The tile so many places on; the first key on a fresh page takes the first tile. */
function step(by) {
  const all = tiles();
  if (!focused() && !current) return go(all[0]);
  go(all[Math.min(Math.max(all.indexOf(tile()) + by, 0), all.length - 1)]);
}

/** How many tiles lie in a row: found by where they lie. */
function columns() {
  const all = tiles();
  const next = all.findIndex((one) => one.offsetTop > all[0].offsetTop);
  return next < 0 ? all.length : next;
}

function closeReasons() {
  for (const open of grid.querySelectorAll("details.review-reject[open]")) open.open = false;
}

function press(code) {
  const found = tile();
  const open = found?.querySelector("details.review-reject[open]");
  const button = (code.startsWith("Digit") ? open : found)?.querySelector(`[data-key="${code}"]`);
  if (!button) return;
  current = found.id;
  // Reasons or tags, not both.
  if (!code.startsWith("Digit")) for (const other of found.querySelectorAll("details[open]")) if (!other.contains(button)) other.open = false;
  button.click();
}

function undo() {
  const button =
    tile()?.querySelector('[data-key="KeyU"]') ?? document.getElementById(last)?.querySelector('[data-key="KeyU"]');
  if (!button) return;
  go(button.closest(".review-tile"));
  button.click();
}

if (grid) {
  for (const code of ["KeyA", "KeyR", "KeyT", ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `Digit${n}`)]) bindKey(code, () => press(code));
  bindKey("KeyL", () => press("KeyL"));
  bindKey("KeyU", undo);
  bindKey("KeyS", () => step(1));
  bindKey("ArrowRight", () => step(1), { repeat: true });
  bindKey("ArrowLeft", () => step(-1), { repeat: true });
  bindKey("ArrowDown", () => step(columns()), { repeat: true });
  bindKey("ArrowUp", () => step(-columns()), { repeat: true });

  grid.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const inReasons = event.target.closest("details.review-reject[open]");
      closeReasons();
      if (inReasons) go(tile());
    }
    // Enter on a button is the button's own.
    if (event.code !== "Enter" || event.repeat || !event.target.matches(".review-tile")) return;
    if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey) window.location.assign(event.target.dataset.open);
  });
  grid.addEventListener("focusin", (event) => {
    const found = event.target.closest(".review-tile");
    if (!found || found.id === current) return;
    closeReasons();
    current = found.id;
  });
  // One list of reasons at a time.
  grid.addEventListener("click", (event) => {
    const found = event.target.closest(".review-tile");
    if (!found) return;
    for (const open of grid.querySelectorAll("details.review-reject[open]")) if (!found.contains(open)) open.open = false;
    const button = event.target.closest('[data-key="KeyL"]');
    if (button && relabel) {
      event.preventDefault();
      openRelabel(found);
    }
  });
}

// A decided tile is drawn anew: go on with the next one that is still to be decided.
document.addEventListener("htmx:afterSettle", (event) => {
  const drawn = event.detail.elt?.closest?.(".review-tile") ?? document.getElementById(current);
  const all = tiles();
  const place = all.findIndex((one) => one.id === drawn?.id);
  if (place < 0) return;
  const isTag = event.detail.requestConfig?.path.endsWith("/tag/");
  const decided = !isTag && !isPending(all[place]) && !all[place].querySelector("[role=alert]");
  if (decided) last = all[place].id;
  const isAllDone = !all.some(isPending);
  if (done) done.hidden = !isAllDone;
  // Somebody quick is at another tile by now: leave the focus there.
  if (document.activeElement !== document.body && focused() && focused() !== all[place]) return;
  const onward = decided ? [...all.slice(place + 1), ...all.slice(0, place)].find(isPending) : all[place];
  if (decided) announce(all[place].getAttribute("aria-label"));
  go(onward ?? document.getElementById("review-next") ?? all[place]);
});

for (const [name, word] of [["htmx:sendError", "lost"], ["htmx:timeout", "lost"], ["htmx:responseError", "failed"]]) {
  document.addEventListener(name, (event) => {
    if (grid?.contains(event.detail.elt)) toast(grid.dataset[word], { kind: "error" });
  });
}

function openRelabel(found) {
  current = found.id;
  const field = relabel.querySelector("[role=combobox]");
  relabel.querySelector("form").reset();
  relabel.querySelector("input[name=label]").value = "";
  relabel.querySelector("[data-problem]").hidden = true;
  relabel.querySelector("[data-now]").textContent = found.dataset.label;
  relabel.querySelector("img").src = found.querySelector("img").src;
  relabel.showModal();
  field.focus();
}

relabel?.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const label = relabel.querySelector("input[name=label]").value;
  const problem = relabel.querySelector("[data-problem]");
  problem.hidden = Boolean(label);
  problem.textContent = problem.dataset.text;
  if (!label) return relabel.querySelector("[role=combobox]").focus();
  const found = document.getElementById(current);
  const values = { label, reason: relabel.querySelector("[name=reason]").value, proof: relabel.querySelector("[name=proof]").value };
  relabel.close();
  await window.htmx.ajax("POST", found.dataset.relabel, { source: found, target: found, swap: "outerHTML", values });
});
relabel?.addEventListener("close", () => document.getElementById(current)?.focus());
