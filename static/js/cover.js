// The form of templates/components/cover.html: areas by mouse, finger, keys and number fields; a look at the result;
// then the server covers them for good.
import { around, between, clamped, moved, resized } from "./cover-areas.js";
import { CoverArea, filled } from "./cover-area.js";
import { sendJson } from "./http.js";

const A_TAP = 8;
// How the server draws them: skinclinic/imaging/covers.py.
const GREY = "rgb(128, 128, 128)";

/** The picture with its covers on a canvas that has its size. */
export function draw(canvas, image, areas, scale = 1) {
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  pen.scale(scale, scale);
  pen.fillStyle = GREY;
  for (const { x, y, width, height, shape } of areas) {
    pen.beginPath();
    if (shape === "ellipse") pen.ellipse(x + width / 2, y + height / 2, width / 2, height / 2, 0, 0, 2 * Math.PI);
    else pen.rect(x, y, width, height);
    pen.fill();
  }
}

export class CoverForm {
  /** `cover(areas)`: what covers them, for a photo that is not stored yet; else the server does. */
  constructor(form, cover = null) {
    this.cover = cover;
    this.form = form;
    this.frame = form.querySelector("[data-frame]");
    this.image = this.frame.querySelector("img");
    this.list = form.querySelector("[data-list]");
    this.preview = form.parentElement.querySelector("[data-preview]");
    const { width, height, smallest } = form.dataset;
    this.photo = { width: Number(width), height: Number(height), smallest: Number(smallest) };
    this.areas = [];
    // In a form that was fetched its fields are real ones.
    form.querySelector("noscript")?.remove();
    this.frame.style.setProperty("--ratio", String(this.photo.width / this.photo.height));
    form.querySelector("[data-tools]").hidden = false;
    form.querySelector("[data-with-script]").hidden = false;
    form.querySelector("[data-without-script]").hidden = true;
    for (const button of form.querySelectorAll("[data-add]")) {
      button.addEventListener("click", () => this.add(around(this.free(), this.photo, button.dataset.add)));
    }
    this.listenForPointer();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.show();
    });
    this.preview.querySelector("[data-back]").addEventListener("click", () => this.preview.close());
    this.preview.querySelector("[data-cover-now]").addEventListener("click", () => this.save());
  }

  /** The middle of the photo, each time a little further down, so that a new area lies on no other. */
  free() {
    const step = (this.areas.length % 5) * 0.08;
    return { x: this.photo.width * (0.5 + step - 0.16), y: this.photo.height * (0.5 + step - 0.16) };
  }

  add(values) {
    if (this.areas.length >= Number(this.form.dataset.most)) return this.fail(this.form.dataset.tooMany);
    this.problem(false);
    const area = new CoverArea(values, this);
    this.areas.push(area);
    this.number();
    area.element.focus({ preventScroll: true });
    return area;
  }

  remove(area) {
    const place = this.areas.indexOf(area);
    this.areas.splice(place, 1);
    area.gone();
    this.say(filled(this.form.dataset.removed, { n: place + 1 }));
    this.number();
    (this.areas[Math.min(place, this.areas.length - 1)]?.element ?? this.form.querySelector("[data-add]")).focus();
  }

  number() {
    this.areas.forEach((area, place) => area.called(place + 1));
  }

  say(words) {
    this.form.querySelector("[data-said]").textContent = words;
  }

  problem(shown, words = "") {
    const line = this.form.querySelector("[data-problem]");
    line.querySelector("[data-problem-text]").textContent = words;
    line.hidden = !shown;
    if (shown) line.focus();
  }

  fail(words) {
    this.problem(true, words);
    return null;
  }

  at(event) {
    const area = this.frame.getBoundingClientRect();
    return {
      x: ((event.clientX - area.left) / area.width) * this.photo.width,
      y: ((event.clientY - area.top) / area.height) * this.photo.height,
    };
  }

  /** On the photo itself: mouse and pen draw a box; a finger, which scrolls there, puts one where it taps. */
  listenForPointer() {
    let start = null;
    let drawn = null;
    const far = (event) => Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > A_TAP;
    this.frame.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest(".cover-area")) return;
      start = { ...this.at(event), clientX: event.clientX, clientY: event.clientY };
      drawn = null;
      if (event.pointerType === "touch") return;
      event.preventDefault();
      this.frame.setPointerCapture(event.pointerId);
    });
    this.frame.addEventListener("pointermove", (event) => {
      if (!start || event.pointerType === "touch" || (!drawn && !far(event))) return;
      const values = between(start, this.at(event), this.photo, "box");
      if (drawn) drawn.put(values);
      else drawn = this.add(values);
    });
    this.frame.addEventListener("pointerup", (event) => {
      if (start && !drawn && event.pointerType === "touch" && !far(event)) this.add(around(start, this.photo, "box"));
      start = null;
    });
    this.frame.addEventListener("pointercancel", () => (start = null));
  }

  /** The photo as it will be stored, before anything is done. */
  show() {
    for (const area of this.areas) area.settle();
    if (!this.areas.length) return this.fail(this.form.dataset.none);
    this.problem(false);
    const canvas = this.preview.querySelector("[data-preview-canvas]");
    const scale = Math.min(1, 1600 / Math.max(this.photo.width, this.photo.height));
    canvas.width = Math.round(this.photo.width * scale);
    canvas.height = Math.round(this.photo.height * scale);
    draw(canvas, this.image, this.areas.map((area) => area.values), scale);
    this.preview.showModal();
  }

  async save() {
    const button = this.preview.querySelector("[data-cover-now]");
    button.disabled = true;
    if (this.cover) return this.coverHere(button);
    const body = { areas: this.areas.map((area) => area.values), seen: this.form.dataset.seen };
    const answer = await sendJson(this.form.action, body).catch(() => null);
    button.disabled = false;
    this.preview.close();
    if (answer?.ok) {
      const saved = new CustomEvent("cover:saved", { detail: answer.data, bubbles: true, cancelable: true });
      if (this.form.dispatchEvent(saved)) window.location.assign(this.form.dataset.result);
      return;
    }
    const state = answer?.data?.error?.state;
    if (state && state !== this.form.dataset.seen) this.showAsItIs(state);
    this.fail(answer?.data?.error?.message ?? this.form.dataset.failed);
  }

  async coverHere(button) {
    const words = await this.cover(this.areas.map((area) => area.values)).catch(() => this.form.dataset.failed);
    button.disabled = false;
    this.preview.close();
    if (words) this.fail(words);
  }

  /** Somebody else has covered it: the areas drawn here stay, over the photo as it is now. */
  showAsItIs(state) {
    this.form.dataset.seen = state;
    this.image.src = `${this.form.dataset.image}?for=screen&state=${encodeURIComponent(state)}`;
  }

  clamped = (values) => clamped(values, this.photo);
  moved = (values, dx, dy) => moved(values, dx, dy, this.photo);
  resized = (values, dx, dy) => resized(values, dx, dy, this.photo);
  between = (from, to, shape) => between(from, to, this.photo, shape);
}
