// Marking lengths on a photo: tap for the two ends of a line, drag or nudge them, or type their numbers. The numbers
// are the truth; the photo shows them.

const LARGEST = 8;
const STEP = 1.5;
const PER_END = 1.5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SVG = "http://www.w3.org/2000/svg";

class Line {
  constructor(page, fieldset) {
    this.page = page;
    this.name = fieldset.dataset.line;
    this.title = fieldset.dataset.title;
    this.inputs = [...fieldset.querySelectorAll("input")];
    this.button = fieldset.querySelector("[data-mark]");
    this.pixels = fieldset.querySelector("[data-pixels]");
    // How far each end may be off, in pixels of the photo: by the zoom at which it was marked.
    this.off = fieldset.form.elements.off;
    this.offs = [Number(this.off.value) || PER_END, Number(this.off.value) || PER_END];
    this.drawn = ["under", this.name].map((kind) => {
      const line = document.createElementNS(SVG, "line");
      line.setAttribute("class", kind);
      return page.lines.appendChild(line);
    });
    this.ends = [0, 1].map((end) => this.makeEnd(end));
    for (const input of this.inputs) input.addEventListener("input", () => this.draw());
    this.button.hidden = false;
    this.button.addEventListener("click", () => page.activate(this));
    this.draw();
  }

  makeEnd(end) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "size-end";
    button.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.code];
      if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const step = event.shiftKey ? 10 : 1;
      const [x, y] = this.at(end);
      this.put(end, x + arrow[0] * step, y + arrow[1] * step);
    });
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      this.page.activate(this);
    });
    button.addEventListener("pointermove", (event) => {
      if (button.hasPointerCapture(event.pointerId)) this.put(end, ...this.page.pointAt(event));
    });
    // A drag is no tap on the photo.
    button.addEventListener("click", (event) => event.stopPropagation());
    return this.page.pane.appendChild(button);
  }

  /** Where an end lies, null while its numbers are missing. */
  at(end) {
    const texts = this.inputs.slice(2 * end, 2 * end + 2).map((input) => input.value);
    return texts.every((text) => text !== "") ? texts.map(Number) : null;
  }

  put(end, x, y) {
    const bounded = [Math.min(this.page.width, Math.max(0, x)), Math.min(this.page.height, Math.max(0, y))];
    bounded.forEach((value, axis) => {
      this.inputs[2 * end + axis].value = Math.round(value * 10) / 10;
    });
    this.offs[end] = PER_END * Math.max(1, this.page.width / this.page.pane.clientWidth);
    const lines = this.page.all.filter((line) => line.off === this.off && line.at(0) && line.at(1));
    this.off.value = Math.max(...[this, ...lines].flatMap((line) => line.offs)).toFixed(2);
    this.draw();
  }

  /** A tap: the first end that is missing, else the one that is nearer. */
  take(x, y) {
    const missing = [0, 1].find((end) => !this.at(end));
    const away = (end) => Math.hypot(this.at(end)[0] - x, this.at(end)[1] - y);
    const end = missing ?? (away(0) <= away(1) ? 0 : 1);
    this.put(end, x, y);
    this.ends[end].focus({ preventScroll: true });
  }

  get isWhole() {
    return Boolean(this.at(0) && this.at(1));
  }

  draw() {
    const places = [this.at(0), this.at(1)];
    places.forEach((place, end) => {
      const button = this.ends[end];
      button.hidden = !place;
      if (!place) return;
      button.style.left = `${(100 * place[0]) / this.page.width}%`;
      button.style.top = `${(100 * place[1]) / this.page.height}%`;
      button.setAttribute("aria-label", `${this.title}, ${this.page.root.dataset.point} ${end + 1}: ${place.join(", ")}`);
    });
    for (const line of this.drawn) {
      line.toggleAttribute("hidden", !this.isWhole);
      line.style.display = this.isWhole ? "" : "none";
      if (!this.isWhole) continue;
      const [[x1, y1], [x2, y2]] = places;
      for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) line.setAttribute(name, value);
    }
    this.pixels.textContent = this.isWhole
      ? `${Math.hypot(places[0][0] - places[1][0], places[0][1] - places[1][1]).toFixed(0)} px`
      : "";
  }
}

class Page {
  constructor(root) {
    this.root = root;
    this.width = Number(root.dataset.width);
    this.height = Number(root.dataset.height);
    this.stage = root.querySelector("[data-stage]");
    this.pane = root.querySelector("[data-pane]");
    this.lines = root.querySelector("[data-lines]");
    this.said = root.querySelector("[data-size-said]");
    this.shown = root.querySelector("[data-zoom-shown]");
    this.zoom = 1;
    this.all = [];
    for (const fieldset of root.querySelectorAll("[data-line]")) this.all.push(new Line(this, fieldset));
    root.querySelector("[data-size-tools]").hidden = false;
    for (const button of root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.command(button.dataset.zoom));
    }
    this.pane.addEventListener("click", (event) => this.tap(event));
    new ResizeObserver(() => this.lay()).observe(this.stage);
    const first = this.all.find((line) => !line.isWhole);
    if (first) this.activate(first);
  }

  command(name) {
    const next = name === "in" ? this.zoom * STEP : name === "out" ? this.zoom / STEP : 1;
    const image = this.pane.querySelector("[data-whole]");
    if (name === "in" && image) {
      image.src = image.dataset.whole;
      image.removeAttribute("data-whole");
    }
    const middle = [this.stage.scrollLeft + this.stage.clientWidth / 2, this.stage.scrollTop + this.stage.clientHeight / 2];
    const before = this.pane.clientWidth;
    this.zoom = Math.min(LARGEST, Math.max(1, next));
    this.lay();
    const grown = this.pane.clientWidth / before;
    this.stage.scrollTo(middle[0] * grown - this.stage.clientWidth / 2, middle[1] * grown - this.stage.clientHeight / 2);
  }

  /** The whole photo fits the stage at 100 %. */
  lay() {
    const room = parseFloat(getComputedStyle(this.stage).maxHeight) || innerHeight;
    const fitted = Math.min(this.stage.clientWidth, (room * this.width) / this.height);
    this.pane.classList.add("is-laid");
    this.pane.style.width = `${Math.floor(fitted * this.zoom)}px`;
    this.shown.textContent = `${Math.round(100 * this.zoom)}%`;
  }

  pointAt(event) {
    const box = this.pane.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.width, ((event.clientY - box.top) / box.height) * this.height];
  }

  activate(line) {
    this.active = line;
    for (const one of this.all) one.button.setAttribute("aria-pressed", String(one === line));
    this.said.textContent = `${this.root.dataset.now}: ${line.title}`;
  }

  tap(event) {
    if (!this.active) return;
    const wasWhole = this.active.isWhole;
    this.active.take(...this.pointAt(event));
    const next = this.all[this.all.indexOf(this.active) + 1];
    // The one across follows the longest; the scale is saved first.
    if (!wasWhole && this.active.isWhole && this.active.name === "longest" && next && !next.isWhole) this.activate(next);
  }
}

for (const root of document.querySelectorAll("[data-size]")) new Page(root);
