// One area of the cover form: on the photo and as a row of number fields.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NUMBERS = ["x", "y", "width", "height"];
const SAY_AFTER = 500;

export const filled = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

export class CoverArea {
  /** `owner`: the CoverForm. */
  constructor(values, owner) {
    this.values = values;
    this.owner = owner;
    this.element = document.createElement("div");
    this.element.className = "cover-area";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "group");
    this.label = document.createElement("span");
    this.element.append(this.label);
    for (const handle of ["nw", "se"]) {
      const corner = document.createElement("span");
      corner.className = "crop-handle";
      corner.dataset.handle = handle;
      this.element.append(corner);
    }
    this.row = owner.form.querySelector("[data-area-template]").content.firstElementChild.cloneNode(true);
    this.inputs = NUMBERS.map((name) => this.row.querySelector(`[name=${name}]`));
    this.shape = this.row.querySelector("[name=shape]");
    owner.frame.append(this.element);
    owner.list.append(this.row);
    this.listen();
    this.put(values);
  }

  called(n) {
    this.n = n;
    const { dataset } = this.owner.form;
    this.label.textContent = String(n);
    this.element.setAttribute("aria-label", filled(this.values.shape === "ellipse" ? dataset.ellipseName : dataset.boxName, { n }));
    this.row.querySelector("[data-area-name]").textContent = filled(dataset.area, { n });
    this.row.querySelector("[data-remove-area]").setAttribute("aria-label", filled(dataset.remove, { n }));
  }

  put(values) {
    this.values = values;
    for (const input of this.inputs) input.value = String(values[input.name]);
    this.draw();
  }

  draw() {
    const { photo } = this.owner;
    const { x, y, width, height, shape } = this.values;
    this.element.dataset.shape = shape;
    this.shape.value = shape;
    const sides = { left: x / photo.width, top: y / photo.height, width: width / photo.width, height: height / photo.height };
    for (const [name, share] of Object.entries(sides)) this.element.style.setProperty(name, `${100 * share}%`);
    clearTimeout(this.later);
    this.later = setTimeout(() => this.n && this.owner.say(filled(this.owner.form.dataset.saying, { n: this.n, ...this.values })), SAY_AFTER);
  }

  /** What is typed is drawn as it will be covered; the fields follow when they are left. */
  take() {
    const typed = Object.fromEntries(this.inputs.map((input) => [input.name, input.valueAsNumber]));
    if (!Object.values(typed).every(Number.isFinite)) return;
    this.values = this.owner.clamped({ ...typed, shape: this.shape.value });
    this.draw();
  }

  settle() {
    this.put(this.values);
  }

  gone() {
    clearTimeout(this.later);
    this.element.remove();
    this.row.remove();
  }

  listen() {
    for (const input of this.inputs) input.addEventListener("input", () => this.take());
    this.row.addEventListener("focusout", (event) => this.row.contains(event.relatedTarget) || this.settle());
    this.row.addEventListener("focusin", () => this.element.classList.add("is-chosen"));
    this.row.addEventListener("focusout", () => this.element.classList.remove("is-chosen"));
    this.shape.addEventListener("change", () => {
      this.values = { ...this.values, shape: this.shape.value };
      this.draw();
      this.called(this.n);
    });
    this.row.querySelector("[data-remove-area]").addEventListener("click", () => this.owner.remove(this));
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.listenForPointer();
  }

  onKey(event) {
    if (event.altKey || event.metaKey) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      return this.owner.remove(this);
    }
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const { width, height } = this.owner.photo;
    const step = event.ctrlKey ? 1 : Math.max(1, Math.round(Math.min(width, height) / 100));
    const change = event.shiftKey ? this.owner.resized : this.owner.moved;
    this.put(change(this.values, arrow[0] * step, arrow[1] * step));
  }

  listenForPointer() {
    let drag = null;
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const start = this.owner.at(event);
      const from = this.values;
      const handle = event.target.closest("[data-handle]")?.dataset.handle;
      const corner = handle === "nw" ? { x: from.x + from.width, y: from.y + from.height } : { x: from.x, y: from.y };
      drag = handle
        ? (to) => this.owner.between(corner, to, from.shape)
        : (to) => this.owner.moved(from, to.x - start.x, to.y - start.y);
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
      this.element.focus({ preventScroll: true });
    });
    this.element.addEventListener("pointermove", (event) => drag && this.put(drag(this.owner.at(event))));
    for (const name of ["pointerup", "pointercancel"]) this.element.addEventListener(name, () => (drag = null));
  }
}
