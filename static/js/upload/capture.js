// Patient first: a place on the body, a number on it or a lesion of the list, and the camera opens. Photos that follow go
// to the same place, until another is chosen.
import { drawMarks, drawnAtEverySize, element } from "../body-marks.js";
import { newKey } from "../random-key.js";

const form = document.getElementById("upload-form");
const { lesion, place_key: key, site, site_x: x, site_y: y } = form.elements;
const list = document.getElementById("capture-lesions");
const where = document.getElementById("capture-where");
const leave = document.querySelector("[data-keep-place]");
const map = form.querySelector("[data-body-map]");
const lesions = () => [...list.querySelectorAll("[data-number]")];
// The card whose place is chosen anew.
let moving = null;

/** Open what takes photos here: the camera of a phone, the files of a desk. */
function shoot() {
  const isTouch = matchMedia("(pointer: coarse)").matches;
  document.querySelector(isTouch ? "[data-camera]" : "[data-files]").click();
}

/** Places at which no photo was taken. */
function dropUnused(but = null) {
  for (const unused of list.querySelectorAll("[data-place-key]:not([data-used])")) if (unused !== but) unused.parentNode.remove();
}

/** A lesion that will be made with the first photo at this place. */
function newPlace() {
  dropUnused();
  const used = list.querySelectorAll("[data-place-key]").length;
  const item = list.querySelector("[data-last]").cloneNode(true);
  delete item.dataset.last;
  const button = item.firstElementChild;
  delete button.dataset.withoutPlace;
  Object.assign(button.dataset, { number: lettered(used), placeKey: newKey(), site: site.value, x: x.value, y: y.value });
  // As the picture says it, with its side.
  const name = site.value ? map.querySelector("[data-chosen]").textContent : list.dataset.noSite;
  const words = `${list.dataset.new.replace("{letter}", button.dataset.number)} · ${name}`;
  button.querySelector("span").textContent = words;
  list.querySelector("[data-last]").before(item);
  return button;
}

const lettered = (count) => (count < 26 ? "" : lettered(Math.floor(count / 26) - 1)) + String.fromCharCode(65 + (count % 26));

function choose(button) {
  for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
  lesion.value = button.dataset.lesion ?? "";
  key.value = button.dataset.placeKey ?? "";
  dropUnused(button);
  [site.value, x.value, y.value] = [button.dataset.site, button.dataset.x, button.dataset.y];
  // The picture shows what the fields say now.
  site.dispatchEvent(new CustomEvent("place:shown"));
  form.dataset.where = button.dataset.lesion ? `${button.dataset.number} · ${button.querySelector("[data-name]").textContent}` : button.querySelector("span").textContent;
  say();
  redraw();
}

function say() {
  leave.hidden = !moving;
  if (moving) where.textContent = where.dataset.moving.replace("{name}", moving.name);
  else where.textContent = lesion.value || key.value ? form.dataset.where : where.dataset.none;
}

/** A place was chosen by hand: the card that waits for it goes there, else the camera opens. */
function chosenByHand(button) {
  choose(button);
  if (!moving) return shoot();
  const card = moving;
  moving = null;
  button.dataset.used = "";
  say();
  card.goTo();
  card.element.scrollIntoView({ block: "nearest" });
  card.element.querySelector("button:not([hidden])")?.focus();
}

function showMap() {
  map.scrollIntoView({ block: "start" });
  map.querySelector("[role=button][tabindex='0']").focus({ preventScroll: true });
}

function redraw() {
  drawMarks(map, lesions(), (button) => {
    const mark = element("g", { "aria-hidden": "true" });
    mark.classList.toggle("is-chosen", button.getAttribute("aria-pressed") === "true");
    mark.addEventListener("click", (event) => {
      event.stopPropagation();
      chosenByHand(button);
    });
    return mark;
  });
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (!("withoutPlace" in button.dataset)) return chosenByHand(button);
  [site.value, x.value, y.value] = ["", "", ""];
  chosenByHand(newPlace());
});
map.addEventListener("place:chosen", () => chosenByHand(newPlace()));
// Chosen from the list of sites the place is set; a press on the button opens the camera, not every step of the arrows.
site.addEventListener("change", () => choose(newPlace()));
map.addEventListener("place:moved", () => {
  const button = list.querySelector("[aria-pressed=true]");
  // Where photos were taken already, the lesion's own page moves it.
  if (button && "placeKey" in button.dataset && !("used" in button.dataset)) Object.assign(button.dataset, { x: x.value, y: y.value });
  if (button) choose(button);
});
map.addEventListener("place:cleared", () => {
  [lesion.value, key.value] = ["", ""];
  for (const button of list.querySelectorAll("button")) button.setAttribute("aria-pressed", "false");
  say();
  redraw();
});
leave.addEventListener("click", () => {
  moving = null;
  say();
});

/** Photos were taken at the chosen place: it stays in the list. */
document.addEventListener("photos:taken", () => list.querySelector("[aria-pressed=true]")?.setAttribute("data-used", ""));
document.addEventListener("photo:move", ({ detail: card }) => {
  moving = card;
  say();
  showMap();
});
document.addEventListener("place:missing", showMap);

const known = lesion.value && list.querySelector(`[data-lesion="${CSS.escape(lesion.value)}"]`);
if (known) choose(known);
else if (key.value) {
  const begun = newPlace();
  begun.dataset.placeKey = key.value;
  begun.dataset.used = "";
  choose(begun);
} else say();
drawnAtEverySize(map, redraw);
