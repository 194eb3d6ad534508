// The own differential: rows that are added, moved and taken out by button, or with Alt and the arrow keys.
import { announce } from "../toast.js";
import { setUpTypeaheads } from "../typeahead.js";

const MOST = 4;
let made = 100;

const rowsOf = (area) => [...area.querySelectorAll("[data-ranked-row]")];

/** Say what there is: the button's words, whether another fits, which rows can move. */
function refresh(area) {
  const rows = rowsOf(area);
  area.querySelector("[data-ranked-none]").hidden = rows.length > 0;
  area.querySelector("[data-ranked-some]").hidden = rows.length === 0;
  area.querySelector("[data-ranked-add]").hidden = rows.length >= MOST;
  if (rows.length) area.querySelector("[data-ranked-first]").hidden = false;
  rows.forEach((row, place) => {
    row.querySelector("[data-ranked-up]").disabled = place === 0 && !firstOf(area);
    row.querySelector("[data-ranked-down]").disabled = place === rows.length - 1;
  });
}

function add(area) {
  const row = area.querySelector("template").content.querySelector("[data-ranked-row]").cloneNode(true);
  made += 1;
  for (const element of row.querySelectorAll("[id],[for],[aria-controls]")) {
    for (const name of ["id", "for", "aria-controls"]) {
      if (element.hasAttribute(name)) element.setAttribute(name, element.getAttribute(name).replace("NUMBER", made));
    }
  }
  area.querySelector(".ranked-list").append(row);
  setUpTypeaheads(row);
  refresh(area);
  row.querySelector('[role="combobox"]').focus();
}

function remove(area, row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  refresh(area);
  (next?.querySelector("[data-ranked-remove]") ?? area.querySelector("[data-ranked-add]")).focus();
}

/** Where the first diagnosis is named in the same form; null while it is not asked for. */
function firstOf(area) {
  const named = area.closest("form").querySelector("[data-named]");
  return named?.checkVisibility?.() ? named : null;
}

/** The second becomes the first; what was the first, if anything, takes its place. */
function promote(area, row) {
  const named = firstOf(area);
  if (!named) return;
  const radio = named.querySelector("input[name=choice]:checked");
  const [field, chosen] = [named.querySelector('[role="combobox"]'), named.querySelector('input[name="disease"]')];
  const [rowField, rowChosen] = [row.querySelector('[role="combobox"]'), row.querySelector('input[name="other"]')];
  const [sure, rowSure] = [area.querySelector('[name="confidence"]'), row.querySelector("select")];
  const before = radio
    ? { value: radio.value, typed: radio.closest("label").querySelector(".named-name").textContent }
    : { value: chosen.value, typed: field.value };
  const one = [...named.querySelectorAll("input[name=choice]")].find((choice) => choice.value === rowChosen.value);
  if (radio) radio.checked = false;
  if (one) one.checked = true;
  field.value = one ? "" : rowField.value;
  chosen.value = one ? "" : rowChosen.value;
  announce(`${area.dataset.moved} 1: ${rowField.value}`);
  [sure.value, rowSure.value] = [rowSure.value, sure.value];
  rowField.value = before.typed;
  rowChosen.value = before.value;
  if (!before.typed) remove(area, row);
}

function move(area, row, step) {
  const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other && step < 0) promote(area, row);
  if (!other) return;
  const focused = document.activeElement;
  if (step < 0) other.before(row);
  else other.after(row);
  refresh(area);
  (focused.disabled ? row.querySelector('[role="combobox"]') : focused).focus();
  announce(`${area.dataset.moved} ${rowsOf(area).indexOf(row) + 2}: ${row.querySelector('[role="combobox"]').value}`);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-ranked] button");
  if (!button) return;
  const area = button.closest("[data-ranked]");
  const row = button.closest("[data-ranked-row]");
  if ("rankedAdd" in button.dataset) add(area);
  else if ("rankedRemove" in button.dataset) remove(area, row);
  else if ("rankedUp" in button.dataset) move(area, row, -1);
  else if ("rankedDown" in button.dataset) move(area, row, 1);
});

document.addEventListener(
  "keydown",
  (event) => {
    const row = event.altKey && event.target.closest?.("[data-ranked-row]");
    if (!row || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    move(row.closest("[data-ranked]"), row, event.key === "ArrowUp" ? -1 : 1);
  },
  true,
);

// Choosing what to decide shows or hides where the first is named.
document.addEventListener("change", (event) => {
  const area = event.target.closest?.("form")?.querySelector("[data-ranked]");
  if (area) refresh(area);
});

/** Make ready the forms that a page or an answer brought. */
export function setUpRanked() {
  for (const area of document.querySelectorAll("[data-ranked]")) refresh(area);
}
