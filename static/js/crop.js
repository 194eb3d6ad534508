// The crop form of templates/components/crop.html: mouse, touch, keyboard and number fields on one box.
import { clamped, fits, largest, moved, pinched, resized, spanned } from "./crop-box.js";
import { setUpSuggested } from "./crop-suggested.js";
import { sendJson } from "./http.js";

const SAY_AFTER = 500;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Bring a crop form to life. Without this it is three number fields that work. */
export function setUpCrop(form) {
  const photo = { width: Number(form.dataset.width), height: Number(form.dataset.height) };
  const frame = form.querySelector("[data-frame]");
  const square = form.querySelector("[data-box]");
  const shade = form.querySelector("[data-shade]");
  const fields = ["x", "y", "size"].map((name) => form.elements[name]);
  const read = () => ({ x: fields[0].valueAsNumber, y: fields[1].valueAsNumber, size: fields[2].valueAsNumber });
  let box = clamped(read(), photo);
  let sayLater = 0;
  let markSuggested = () => {};

  const draw = () => {
    const across = (pixels) => `${(100 * pixels) / photo.width}%`;
    const down = (pixels) => `${(100 * pixels) / photo.height}%`;
    square.style.setProperty("left", across(box.x));
    square.style.setProperty("top", down(box.y));
    square.style.setProperty("width", across(box.size));
    square.style.setProperty("height", down(box.size));
    const [left, top] = [across(box.x), down(box.y)];
    const [right, bottom] = [across(box.x + box.size), down(box.y + box.size)];
    const hole = `${left} ${top}, ${left} ${bottom}, ${right} ${bottom}, ${right} ${top}, ${left} ${top}`;
    shade.style.setProperty("clip-path", `polygon(evenodd, 0 0, 100% 0, 100% 100%, 0 100%, 0 0, ${hole})`);
    markSuggested(box);
  };
  const say = () => {
    clearTimeout(sayLater);
    sayLater = setTimeout(() => {
      form.querySelector("[data-said]").textContent = inWords(form.dataset.saying);
    }, SAY_AFTER);
  };
  const inWords = (words) => words.replace(/\{(\w+)\}/g, (_, name) => String(box[name]));
  const fitted = form.querySelector("[data-fitted]");
  const put = (next) => {
    box = next;
    for (const field of fields) field.value = String(box[field.name]);
    fitted.hidden = true;
    draw();
    say();
  };
  /** What is typed stays as typed, in any order; where it does not fit, what will be saved is drawn and told. */
  const take = () => {
    const typed = read();
    if (!Object.values(typed).every(Number.isFinite)) return;
    box = clamped(typed, photo);
    fitted.hidden = fits(typed, photo);
    fitted.textContent = inWords(form.dataset.fitting);
    draw();
    say();
  };

  frame.style.setProperty("--ratio", String(photo.width / photo.height));
  square.hidden = false;
  markSuggested = setUpSuggested(form, photo, put);
  draw();

  for (const field of fields) {
    field.addEventListener("input", take);
    field.addEventListener("change", () => Number.isFinite(field.valueAsNumber) || (field.value = String(box[field.name])));
  }
  const reset = form.querySelector("[data-reset]");
  reset.hidden = false;
  reset.addEventListener("click", () => put(largest(photo)));
  square.addEventListener("keydown", (event) => {
    const next = afterKey(event, box, photo);
    if (!next) return;
    event.preventDefault();
    put(next);
  });
  listenForPointer(frame, square, photo, () => box, put);
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take();
    put(box);
    save(form, box);
  });
}

function afterKey(event, box, photo) {
  if (event.altKey || event.metaKey) return null;
  const step = event.ctrlKey ? 1 : Math.max(1, Math.round(Math.min(photo.width, photo.height) / 100));
  if (event.key === "+" || event.key === "=") return resized(box, 2 * step, photo);
  if (event.key === "-" || event.key === "_") return resized(box, -2 * step, photo);
  const arrow = ARROWS[event.key];
  if (!arrow) return null;
  const [dx, dy] = arrow;
  if (event.shiftKey) return resized(box, 2 * step * (dx - dy), photo);
  return moved(box, dx * step, dy * step, photo);
}

/** Drag the box, drag a corner, or (mouse and pen; a finger scrolls there) draw a new box. */
function listenForPointer(frame, square, photo, current, put) {
  const at = (event) => {
    const area = frame.getBoundingClientRect();
    return {
      x: ((event.clientX - area.left) / area.width) * photo.width,
      y: ((event.clientY - area.top) / area.height) * photo.height,
    };
  };
  let drag = null;
  const fingers = new Map();
  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const start = at(event);
    fingers.set(event.pointerId, start);
    if (fingers.size > 1) {
      const [from, before] = [current(), [...fingers.values()]];
      drag = () => pinched(from, before, [...fingers.values()], photo);
      frame.setPointerCapture(event.pointerId);
      return event.preventDefault();
    }
    const handle = event.target.closest("[data-handle]")?.dataset.handle;
    if (handle) {
      const corner = oppositeCorner(current(), handle);
      drag = (to) => spanned(corner, to, photo);
    } else if (event.target === square) {
      const from = current();
      drag = (to) => moved(from, to.x - start.x, to.y - start.y, photo);
    } else if (event.pointerType !== "touch") {
      const corner = { x: Math.round(start.x), y: Math.round(start.y) };
      drag = (to) => (Math.hypot(to.x - start.x, to.y - start.y) > 8 ? spanned(corner, to, photo) : current());
    } else {
      return;
    }
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    square.focus({ preventScroll: true });
  });
  frame.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, at(event));
    if (drag) put(drag(at(event)));
  });
  for (const name of ["pointerup", "pointercancel"]) {
    frame.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      drag = null;
    });
  }
}

function oppositeCorner({ x, y, size }, handle) {
  return { x: handle.includes("w") ? x + size : x, y: handle.includes("n") ? y + size : y };
}

async function save(form, box) {
  const button = form.querySelector("[data-save]");
  const problem = form.querySelector("[data-problem]");
  button.disabled = true;
  problem.hidden = true;
  const answer = await sendJson(form.action, box).catch(() => null);
  button.disabled = false;
  if (answer?.ok) {
    const saved = new CustomEvent("crop:saved", { detail: answer.data, bubbles: true, cancelable: true });
    if (form.dispatchEvent(saved)) location.assign(answer.data.url);
    return;
  }
  problem.querySelector("[data-problem-text]").textContent = answer?.data?.error?.message ?? form.dataset.failed;
  problem.hidden = false;
}

for (const form of document.querySelectorAll("form[data-crop]")) setUpCrop(form);
