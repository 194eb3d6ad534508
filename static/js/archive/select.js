// Choosing photos in the gallery and the review queue, by click, Shift-click and keys, for what is done to many at once.
import { bindKey, isTyping } from "../keys.js";
import { send } from "../http.js";
import { grouped } from "../numbers.js";
import { toast } from "../toast.js";

const bar = document.getElementById("bulk-bar");
const mode = document.querySelector("[data-select-mode]");
const chosen = new Set();
// How many fit the whole search, once all of them are chosen; of very many they are counted no further.
let all = null;
let isMore = false;
// Where a range begins.
let anchor = null;

const boxes = () => [...document.querySelectorAll("[data-select]")];
const keyOf = (box) => box.dataset.select;
const holder = (box) => box.closest(".review-tile") ?? box.closest("li");
const boxIn = (element) => element?.closest?.(".review-tile, .archive-grid > li")?.querySelector("[data-select]");

function draw() {
  for (const box of boxes()) {
    box.checked = all !== null || chosen.has(keyOf(box));
    holder(box).classList.toggle("is-chosen", box.checked);
  }
  const count = all ?? chosen.size;
  const isOn = count > 0 || mode?.getAttribute("aria-pressed") === "true";
  bar.hidden = !isOn;
  document.body.classList.toggle("is-choosing", isOn);
  const many = all !== null && isMore ? bar.dataset.more : bar.dataset.many;
  const words = count === 1 ? bar.dataset.one : many.replace("{n}", grouped(count));
  for (const place of document.querySelectorAll("[data-count]")) place.textContent = words;
  for (const field of document.querySelectorAll("[data-keys]")) field.value = all === null ? [...chosen].join(",") : "";
  for (const field of document.querySelectorAll("[data-all]")) field.value = all === null ? "" : "1";
  for (const button of bar.querySelectorAll(".bulk-actions button")) button.disabled = !count;
  bar.querySelector("[data-choose=all]").setAttribute("aria-pressed", String(all !== null));
  // More than a page is asked about before it is accepted; the other actions have a dialog.
  const accept = bar.querySelector("[data-bulk=accept]");
  delete accept.dataset.confirm;
  if (count > boxes().length) {
    accept.dataset.confirm = bar.dataset.confirmAccept.replace("{n}", words);
    accept.dataset.confirmLabel = bar.dataset.accept;
  }
}

/** Choose or leave one, or (`toHere`) all from the last one up to it. */
function toggle(box, toHere = false) {
  all = null;
  const row = boxes();
  const from = row.findIndex((other) => keyOf(other) === anchor);
  const to = row.indexOf(box);
  if (toHere && from >= 0) {
    for (const between of row.slice(Math.min(from, to), Math.max(from, to) + 1)) chosen.add(keyOf(between));
  } else if (!chosen.delete(keyOf(box))) {
    chosen.add(keyOf(box));
  }
  anchor = keyOf(box);
  draw();
}

function none() {
  chosen.clear();
  all = anchor = null;
  mode?.setAttribute("aria-pressed", "false");
  draw();
}

async function everything() {
  const search = new URLSearchParams();
  for (const field of bar.querySelectorAll("[data-bulk=accept] input[name^=s-]")) search.set(field.name.slice(2), field.value);
  try {
    const response = await send(`${bar.dataset.countUrl}?${search}`);
    if (!response.ok) throw new Error(String(response.status));
    ({ count: all, more: isMore } = await response.json());
  } catch {
    return toast(bar.dataset.failed, { kind: "error" });
  }
  chosen.clear();
  draw();
}

// Before the browser's own: a link must not open while photos are chosen.
document.addEventListener(
  "click",
  (event) => {
    const box = event.target.closest("[data-select]");
    if (box) return toggle(box, event.shiftKey);
    const onPhoto = event.target.closest("a.archive-thumb, .review-tile .photo-stage");
    const found = boxIn(onPhoto);
    if (!found) return;
    const isChoosing = document.body.classList.contains("is-choosing");
    // With Ctrl a link opens in another tab, as everywhere.
    if (event.ctrlKey || event.metaKey || (!event.shiftKey && !isChoosing)) return;
    event.preventDefault();
    toggle(found, event.shiftKey);
  },
  true,
);

bar.addEventListener("click", (event) => {
  const choose = event.target.closest("[data-choose]")?.dataset.choose;
  if (choose === "none") none();
  if (choose === "all") everything();
  if (choose === "page") {
    all = null;
    for (const box of boxes()) chosen.add(keyOf(box));
    draw();
  }
  const dialog = event.target.closest("[data-bulk-open]")?.dataset.bulkOpen;
  if (dialog) document.getElementById(dialog).showModal();
});

mode?.addEventListener("click", () => {
  const isOn = mode.getAttribute("aria-pressed") === "true";
  mode.setAttribute("aria-pressed", String(!isOn));
  if (isOn) none();
  else draw();
});

const current = () => boxIn(document.activeElement) ?? boxes()[0];
bindKey("KeyX", () => current() && toggle(current()));
bindKey("KeyX", () => current() && toggle(current(), true), { shift: true });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || isTyping(event)) return;
  if (!document.querySelector("dialog[open], details.review-reject[open]") && !bar.hidden) none();
});

// In the review queue the arrows are its own.
if (document.getElementById("archive-groups")) {
  const links = () => [...document.querySelectorAll("a.archive-thumb")];
  const step = (by) => {
    const row = links();
    const at = row.indexOf(boxIn(document.activeElement)?.parentElement.querySelector("a.archive-thumb"));
    row[Math.min(Math.max(at + by, 0), row.length - 1)]?.focus();
  };
  bindKey("ArrowRight", () => step(1), { repeat: true });
  bindKey("ArrowLeft", () => step(-1), { repeat: true });
}

// A tile that is drawn anew keeps that it is chosen; so does a page the browser brings back.
document.addEventListener("htmx:afterSettle", draw);
window.addEventListener("pageshow", draw);
draw();
