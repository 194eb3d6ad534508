// The photos compared, zoomed and moved in step: zoom and place are shares of each pane.

const LARGEST = 12;
const STEP = 1.25;
const NUDGE = 0.06;
// From this zoom on a photo is loaded whole; before, in the size of a screen.
const WHOLE_FROM = 1.5;
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Stage {
  constructor(section) {
    this.section = section;
    this.root = section.querySelector(".compare");
    this.views = [...section.querySelectorAll(".compare-view")];
    this.shown = section.querySelector("[data-zoom-shown]");
    this.scale = 1;
    // How far the middle is moved, as a share of the pane, at this scale.
    this.moved = [0, 0];
    this.pointers = new Map();
    this.root.style.setProperty("--panes", this.root.dataset.panes);
    for (const button of section.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.command(button.dataset.zoom));
    }
    this.root.addEventListener("keydown", (event) => this.key(event));
    for (const view of this.views) this.listen(view);
  }

  command(name) {
    if (name === "in") this.zoom(STEP);
    else if (name === "out") this.zoom(1 / STEP);
    else this.set(1, [0, 0]);
  }

  /** Zoom by `factor` so that the point at `at` (share of the pane from its middle) stays where it is. */
  zoom(factor, at = [0, 0]) {
    const scale = Math.min(LARGEST, Math.max(1, this.scale * factor));
    const grown = scale / this.scale;
    this.set(scale, this.moved.map((share, axis) => at[axis] - (at[axis] - share) * grown));
  }

  /** The photos in all their pixels, once they can be seen. */
  bringWhole() {
    for (const image of this.root.querySelectorAll("[data-whole]")) {
      image.src = image.dataset.whole;
      image.removeAttribute("data-whole");
    }
  }

  move(dx, dy) {
    this.set(this.scale, [this.moved[0] + dx, this.moved[1] + dy]);
  }

  set(scale, moved) {
    const furthest = (scale - 1) / 2;
    this.scale = scale;
    this.moved = moved.map((share) => Math.min(furthest, Math.max(-furthest, share)));
    const [x, y] = this.moved.map((share) => `${(share * 100).toFixed(3)}%`);
    for (const view of this.views) view.querySelector(".compare-moved").style.transform = `translate(${x}, ${y}) scale(${scale})`;
    this.root.classList.toggle("compare-zoomed", scale > 1);
    this.shown.textContent = `${Math.round(scale * 100)}%`;
    if (scale >= WHOLE_FROM) this.bringWhole();
  }

  key(event) {
    const arrow = ARROWS[event.code];
    if (!arrow || event.target !== this.root || event.altKey || event.ctrlKey || event.metaKey) return;
    if (this.scale === 1) return;
    event.preventDefault();
    this.move(arrow[0] * NUDGE, arrow[1] * NUDGE);
  }

  listen(view) {
    view.addEventListener("wheel", (event) => {
      // The wheel scrolls the page as everywhere, unless the photos have the focus; Ctrl (and a pinch on a touchpad) zooms.
      if (!event.ctrlKey && (this.scale === 1 || document.activeElement !== this.root)) return;
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * 0.002), this.shareAt(view, event));
    }, { passive: false });
    view.addEventListener("dblclick", (event) => this.zoom(2, this.shareAt(view, event)));
    view.addEventListener("pointerdown", (event) => {
      this.pointers.set(event.pointerId, event);
      view.setPointerCapture(event.pointerId);
    });
    view.addEventListener("pointermove", (event) => this.drag(view, event));
    for (const end of ["pointerup", "pointercancel"]) {
      view.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
  }

  drag(view, event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.pointers.values()].filter((pointer) => pointer.pointerId !== event.pointerId);
    if (others.length) {
      const apart = (one) => Math.hypot(one.clientX - others[0].clientX, one.clientY - others[0].clientY);
      this.zoom(apart(event) / Math.max(1, apart(before)), this.shareAt(view, event));
    } else {
      const box = view.getBoundingClientRect();
      this.move((event.clientX - before.clientX) / box.width, (event.clientY - before.clientY) / box.height);
    }
    this.pointers.set(event.pointerId, event);
  }

  shareAt(view, event) {
    const box = view.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width - 0.5, (event.clientY - box.top) / box.height - 0.5];
  }
}
