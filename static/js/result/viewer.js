// The photo on its stage: fitted, zoomed and moved; everything laid over it moves with it.

const LARGEST = 12;
const STEP = 1.25;
// So much of the stage is a step of a key or button.
const NUDGE = 0.2;
/** The way the view goes, by the end of an arrow key's code and of a button's name. */
export const WAYS = { Left: [-1, 0], Right: [1, 0], Up: [0, -1], Down: [0, 1] };

export class Viewer {
  /** `root`: the .viewer of templates/jinja2/result/stage.html. */
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector("[data-stage]");
    this.pane = root.querySelector("[data-pane]");
    this.photo = root.querySelector("[data-photo]");
    this.value = root.querySelector("[data-zoom-value]");
    this.width = Number(root.dataset.width);
    this.height = Number(root.dataset.height);
    const [x, y, size] = root.dataset.box.split(",").map(Number);
    this.box = { x, y, size };
    this.pointers = new Map();
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
    this.listen();
    this.photo.addEventListener("error", () => this.tellIfLost());
    if (this.photo.complete && !this.photo.naturalWidth) this.tellIfLost();
    new ResizeObserver(() => this.fit()).observe(this.stage);
  }

  /** A picture that does not come is lost where the server says so, not where it cannot be reached. */
  async tellIfLost() {
    const words = this.root.querySelector("[data-lost]");
    const answer = words && (await fetch(this.photo.currentSrc || this.photo.src).catch(() => null));
    if (answer?.status === 404) words.hidden = false;
  }

  /** Another photo lies on the stage: its width and height in pixels. */
  showsAnother(width, height) {
    this.width = width;
    this.height = height;
    this.fit();
  }

  /** Lay `element` over the analysed square. */
  placeOnSquare(element) {
    const { x, y, size } = this.box;
    element.style.setProperty("left", `${(100 * x) / this.width}%`);
    element.style.setProperty("top", `${(100 * y) / this.height}%`);
    element.style.setProperty("width", `${(100 * size) / this.width}%`);
    element.style.setProperty("height", `${(100 * size) / this.height}%`);
  }

  /** Show the whole photo, as large as the stage allows. */
  fit() {
    const scale = Math.min(this.stage.clientWidth / this.width, this.stage.clientHeight / this.height);
    this.pane.style.setProperty("width", `${Math.floor(this.width * scale)}px`);
    this.pane.style.setProperty("height", `${Math.floor(this.height * scale)}px`);
    this.stage.classList.add("is-fitted");
    this.move(1, 0, 0);
  }

  /** Zoom to `zoom` (1: fitted) keeping the point (px, py), measured from the stage's middle, in place. */
  zoomTo(zoom, px = 0, py = 0) {
    const next = Math.min(LARGEST, Math.max(1, zoom));
    const ratio = next / this.zoom;
    this.move(next, px - (px - this.x) * ratio, py - (py - this.y) * ratio);
  }

  zoomBy(factor, px, py) {
    this.zoomTo(this.zoom * factor, px, py);
  }

  /** One pixel of the photo on one of the screen. */
  zoomToPixels() {
    this.zoomTo(this.width / (this.pane.offsetWidth * window.devicePixelRatio));
  }

  zoomIn = () => this.zoomBy(STEP);
  zoomOut = () => this.zoomBy(1 / STEP);

  move(zoom, x, y) {
    const roomX = Math.max(0, (this.pane.offsetWidth * zoom - this.stage.clientWidth) / 2);
    const roomY = Math.max(0, (this.pane.offsetHeight * zoom - this.stage.clientHeight) / 2);
    this.zoom = zoom;
    this.x = Math.min(roomX, Math.max(-roomX, x));
    this.y = Math.min(roomY, Math.max(-roomY, y));
    this.pane.style.setProperty("transform", `translate(${this.x}px, ${this.y}px) scale(${zoom})`);
    this.stage.classList.toggle("is-zoomed", zoom > 1);
    for (const button of this.root.querySelectorAll("[data-nudge]")) button.disabled = !roomX && !roomY;
    this.value.textContent = `${Math.round(100 * zoom)}%`;
    if (zoom > 1) this.wantOriginal();
  }

  /** Move the view a step: `way` is one of WAYS. */
  nudge(way) {
    const [right, down] = WAYS[way];
    const step = NUDGE * Math.min(this.stage.clientWidth, this.stage.clientHeight);
    this.move(this.zoom, this.x - right * step, this.y - down * step);
  }

  /** Zoomed in, the photo is shown from all its pixels; until they are there, from those of the smaller one. */
  async wantOriginal() {
    const { originalSrc } = this.photo.dataset;
    if (!originalSrc || this.photo.naturalWidth === this.width) return;
    delete this.photo.dataset.originalSrc;
    const original = new Image();
    original.src = originalSrc;
    try {
      await original.decode();
      this.photo.src = originalSrc;
    } catch {
      this.photo.dataset.originalSrc = originalSrc;
    }
  }

  fromMiddle(event) {
    const edge = this.stage.getBoundingClientRect();
    return [event.clientX - edge.left - edge.width / 2, event.clientY - edge.top - edge.height / 2];
  }

  listen() {
    this.stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.stage.addEventListener("dblclick", (event) => {
      if (this.zoom > 1) this.fit();
      else this.zoomTo(2.5, ...this.fromMiddle(event));
    });
    this.stage.addEventListener("pointerdown", (event) => this.onDown(event));
    this.stage.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-zoom], [data-nudge]");
      if (button?.dataset.nudge) return this.nudge(button.dataset.nudge);
      const what = button?.dataset.zoom;
      if (what === "in") this.zoomIn();
      else if (what === "out") this.zoomOut();
      else if (what === "fit") this.fit();
      else if (what === "pixels") this.zoomToPixels();
    });
  }

  onWheel(event) {
    // The wheel is the page's, unless the photo has the focus (it was clicked), Ctrl is held (or two fingers pinch on a
    // touchpad), or there is nothing to scroll. At its smallest the photo lets the page scroll on.
    const page = document.documentElement;
    const isPhotos = event.ctrlKey || document.activeElement === this.stage || page.scrollHeight <= page.clientHeight;
    if (!isPhotos || (this.zoom === 1 && event.deltaY > 0)) return;
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), ...this.fromMiddle(event));
  }

  onDown(event) {
    if (event.button !== 0) return;
    this.pointers.set(event.pointerId, event);
    if (this.zoom > 1 || this.pointers.size > 1) this.stage.setPointerCapture(event.pointerId);
  }

  onMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 2) return this.onPinch(event, before);
    if (this.zoom > 1) {
      this.move(this.zoom, this.x + event.clientX - before.clientX, this.y + event.clientY - before.clientY);
    }
  }

  onPinch(event, before) {
    const other = [...this.pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
    const distance = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY);
    const [ax, ay] = this.fromMiddle(event);
    const [bx, by] = this.fromMiddle(other);
    this.zoomBy(distance(event) / Math.max(1, distance(before)), (ax + bx) / 2, (ay + by) / 2);
  }
}
