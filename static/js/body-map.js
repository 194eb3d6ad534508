// The body picture bound to a <select> of sites and two hidden inputs, the exact place as a share of the
// picture's width and height. The select alone is enough; the picture only makes it quicker.

const SVG = "http://www.w3.org/2000/svg";
const STEP = 0.004;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class BodyMap {
  constructor(root) {
    this.root = root;
    this.width = Number(root.dataset.width);
    this.height = Number(root.dataset.height);
    this.panels = [...root.querySelectorAll("svg.body-map-panel")];
    this.regions = [...root.querySelectorAll("[data-site].body-map-region")];
    this.dot = document.createElementNS(SVG, "circle");
    this.dot.setAttribute("class", "body-map-dot");
    this.dot.setAttribute("r", "5");
    if ("readonly" in root.dataset) this.showOnly();
    else this.bind();
  }

  showOnly() {
    for (const shape of this.root.querySelectorAll("[role=button]")) {
      for (const name of ["role", "tabindex", "aria-pressed"]) shape.removeAttribute(name);
      shape.setAttribute("aria-hidden", "true");
    }
    const { site, positionX, positionY } = this.root.dataset;
    const place = positionX && positionY ? [Number(positionX), Number(positionY)] : null;
    this.paint(site, place);
  }

  bind() {
    const { select, x, y } = this.root.dataset;
    this.output = this.root.querySelector("[data-chosen]");
    this.clear = this.root.querySelector("[data-clear]");
    for (const panel of this.panels) this.bindPanel(panel);
    // Of several places on a page the picture shows one at a time.
    this.root.addEventListener("place:bind", ({ detail }) => this.bindTo(detail));
    this.clear.addEventListener("click", () => {
      this.choose("", null);
      this.tell("place:cleared");
      this.select.focus();
    });
    this.bindTo({ select: document.getElementById(select), x: document.getElementById(x), y: document.getElementById(y) });
  }

  /** Show and change the place that these fields hold. */
  bindTo({ select, x, y }) {
    this.listening?.abort();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.select = select;
    this.inputs = [x, y];
    select.addEventListener("change", () => this.choose(select.value, null), { signal });
    // Somebody else has written into the fields.
    select.addEventListener("place:shown", () => this.repaint(), { signal });
    this.repaint();
  }

  bindPanel(panel) {
    const shapes = [...panel.querySelectorAll("[role=button]")];
    shapes[0].tabIndex = 0;
    panel.addEventListener("click", (event) => this.onClick(event, panel));
    panel.addEventListener("keydown", (event) => this.onKey(event, shapes));
    // On the root: Chromium lets an SVG element that listens for focus take the focus itself.
    this.root.addEventListener("focusin", ({ target }) => {
      if (!shapes.includes(target)) return;
      for (const shape of shapes) shape.tabIndex = shape === target ? 0 : -1;
      this.ring(target);
    });
    this.root.addEventListener("focusout", () => this.ring(null));
  }

  /** A ring round the focused region as it is seen: a stroke of its own would be clipped with it. */
  ring(shape) {
    this.focusRing?.remove();
    if (!shape?.matches(":focus-visible")) return;
    const clip = shape.parentNode.cloneNode(false);
    const copy = document.createElementNS(SVG, "path");
    copy.setAttribute("d", shape.getAttribute("d"));
    clip.append(copy);
    this.focusRing = document.createElementNS(SVG, "g");
    this.focusRing.setAttribute("class", "body-map-ring");
    this.focusRing.append(clip);
    shape.parentNode.after(this.focusRing);
  }

  onClick(event, panel) {
    const shape = event.target.closest("[role=button]");
    if (!shape) return;
    if (shape.dataset.show) return this.showPanel(shape.dataset.show);
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(panel.getScreenCTM().inverse());
    this.choose(shape.dataset.site, [point.x / this.width, point.y / this.height]);
    this.tell("place:chosen");
  }

  /** What a person did at the picture itself, for pages where more follows from it. */
  tell(name) {
    this.root.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }

  onKey(event, shapes) {
    const shape = event.target.closest("[role=button]");
    if (!shape) return;
    const arrow = ARROWS[event.code];
    if (arrow && event.shiftKey) this.nudge(arrow);
    else if (arrow) {
      const next = shapes.indexOf(shape) + (arrow[0] + arrow[1]);
      shapes[(next + shapes.length) % shapes.length].focus();
    } else if (event.code === "Enter" || event.code === "Space") {
      if (shape.dataset.show) this.showPanel(shape.dataset.show);
      else {
        const [x, y] = shape.dataset.centre.split(" ").map(Number);
        this.choose(shape.dataset.site, [x / this.width, y / this.height]);
        this.tell("place:chosen");
      }
    } else return;
    event.preventDefault();
  }

  showPanel(name) {
    const panel = this.root.querySelector(`.body-map-panel-${name}`);
    panel.scrollIntoView({ block: "nearest" });
    panel.querySelector("[role=button]").focus();
  }

  nudge([dx, dy]) {
    const place = this.place();
    if (!place) return;
    const moved = [place[0] + dx * STEP, place[1] + dy * STEP * (this.width / this.height)];
    const region = this.regionAt(moved);
    if (region?.dataset.site !== this.select.value) return;
    this.choose(this.select.value, moved);
    this.tell("place:moved");
  }

  place() {
    const [x, y] = this.inputs.map((input) => input.value);
    return x === "" || y === "" ? null : [Number(x), Number(y)];
  }

  choose(site, place) {
    this.select.value = site;
    this.inputs.forEach((input, i) => (input.value = place ? place[i].toFixed(4) : ""));
    this.inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
    this.repaint();
  }

  repaint() {
    const site = this.select.value;
    const region = this.paint(site, this.place());
    const word = site ? this.select.selectedOptions[0].textContent : "";
    this.output.textContent = site ? region?.getAttribute("aria-label") ?? word : this.output.dataset.none;
    this.clear.hidden = !site;
  }

  /** Mark the region under `place`, or every region of the site; returns the one region, if one it is. */
  paint(site, place) {
    const exact = place && this.regionAt(place);
    const region = exact?.dataset.site === site ? exact : null;
    for (const shape of this.regions) {
      const chosen = region ? shape === region : Boolean(site) && shape.dataset.site === site;
      shape.classList.toggle("is-chosen", chosen);
      if (shape.hasAttribute("role")) shape.setAttribute("aria-pressed", String(chosen));
    }
    this.dot.remove();
    if (region) {
      this.dot.setAttribute("cx", String(place[0] * this.width));
      this.dot.setAttribute("cy", String(place[1] * this.height));
      region.ownerSVGElement.append(this.dot);
    }
    return region;
  }

  /** The topmost region at a place; clips do not count, the polygons alone tell neighbours apart. */
  regionAt([x, y]) {
    const point = new DOMPoint(x * this.width, y * this.height);
    const panel = this.panels.find((svg) => {
      const box = svg.viewBox.baseVal;
      return point.x >= box.x && point.x <= box.x + box.width && point.y >= box.y && point.y <= box.y + box.height;
    });
    const hits = this.regions.filter((shape) => {
      if (shape.ownerSVGElement !== panel || !shape.isPointInFill(point)) return false;
      const outline = panel.querySelector(`${shape.parentNode.getAttribute("clip-path").slice(4, -1)} path`);
      return outline.isPointInFill(point);
    });
    return hits.at(-1) ?? null;
  }
}

/** Bring the body pictures in `within` to life. */
export function setUpBodyMaps(within) {
  for (const root of within.querySelectorAll("[data-body-map]:not([data-is-set-up])")) {
    root.dataset.isSetUp = "";
    new BodyMap(root);
  }
}

setUpBodyMaps(document);
