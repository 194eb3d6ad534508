// Choosing cases of the worklist, by click, Shift-click and keys, for what is done to many at once.
import { bindKey, isTyping } from "./keys.js";
import { grouped } from "./numbers.js";

const bar = document.getElementById("cases-bulk");
const chosen = new Set();
let isAll = false;
// Where a range begins.
let anchor = null;
let list = "";

const worklist = () => document.getElementById("worklist");
const boxes = () => [...document.querySelectorAll("[data-case]")];
const field = (name) => bar.elements.namedItem(name);

function draw() {
  const section = worklist();
  // Another list: what was chosen in the one before is not in sight any more.
  if (section.dataset.list !== list) {
    list = section.dataset.list;
    chosen.clear();
    isAll = false;
  }
  for (const box of boxes()) {
    box.checked = isAll || chosen.has(box.value);
    box.closest("tr").classList.toggle("is-chosen", box.checked);
  }
  const found = Number(section.dataset.hits);
  const count = isAll ? found : chosen.size;
  const say = (words, n) => words.replace("{n}", grouped(n));
  bar.hidden = count === 0;
  bar.querySelector("[data-count]").textContent = count === 1 ? bar.dataset.one : say(bar.dataset.many, count);
  const shown = bar.querySelector("[data-choose=shown]");
  shown.textContent = say(bar.dataset.shown, boxes().length);
  shown.hidden = isAll || boxes().every((box) => box.checked);
  const every = bar.querySelector("[data-choose=found]");
  every.textContent = say(bar.dataset.found, found);
  every.hidden = isAll || found <= boxes().length;
  field("list").value = list;
  field("all").value = isAll ? "1" : "";
  field("cursor").value = new URLSearchParams(window.location.search).get("cursor") ?? "";
  field("lesions").value = isAll ? "" : [...chosen].join(",");
}

/** Choose or leave one, or (`toHere`) all from the last one up to it. */
function toggle(box, toHere = false) {
  const row = boxes();
  if (isAll) for (const other of row) chosen.add(other.value);
  isAll = false;
  const from = row.findIndex((other) => other.value === anchor);
  if (toHere && from >= 0) {
    const to = row.indexOf(box);
    for (const between of row.slice(Math.min(from, to), Math.max(from, to) + 1)) chosen.add(between.value);
  } else if (!chosen.delete(box.value)) {
    chosen.add(box.value);
  }
  anchor = box.value;
  draw();
}

function none() {
  chosen.clear();
  isAll = false;
  anchor = null;
  draw();
}

if (bar) {
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-case]");
    if (box) toggle(box, event.shiftKey);
  });
  bar.addEventListener("click", (event) => {
    const choose = event.target.closest("[data-choose]")?.dataset.choose;
    if (choose === "none") none();
    if (choose === "shown") {
      for (const box of boxes()) chosen.add(box.value);
      draw();
    }
    if (choose === "found") {
      isAll = true;
      draw();
    }
  });
  const current = () => document.activeElement.closest?.("tr.case")?.querySelector("[data-case]");
  bindKey("KeyX", () => current() && toggle(current()));
  bindKey("KeyX", () => current() && toggle(current(), true), { shift: true });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || isTyping(event) || bar.hidden) return;
    if (!document.querySelector("dialog[open]")) none();
  });
  document.addEventListener("htmx:afterSettle", draw);
  document.addEventListener("htmx:oobAfterSwap", draw);
  window.addEventListener("pageshow", draw);
  draw();
}
