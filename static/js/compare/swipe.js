// Photo B lies over photo A and shows right of a divider, which is dragged, moved by keys or by buttons.

const KEYS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };

export class Swipe {
  constructor(section) {
    this.root = section.querySelector(".compare");
    this.divider = section.querySelector(".compare-divider");
    this.over = section.querySelector('[data-place="B"] .compare-view');
    this.place = 50;
    if (!this.divider) return;
    for (const button of section.querySelectorAll("[data-swipe]")) {
      button.addEventListener("click", () => this.set(this.place + Number(button.dataset.swipe)));
    }
    this.divider.addEventListener("keydown", (event) => {
      const step = KEYS[event.code];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.set(this.place + step * (event.shiftKey ? 5 : 1));
    });
    this.divider.addEventListener("pointerdown", (event) => {
      this.divider.setPointerCapture(event.pointerId);
      this.divider.focus({ preventScroll: true });
    });
    this.divider.addEventListener("pointermove", (event) => {
      if (!this.divider.hasPointerCapture(event.pointerId)) return;
      const box = this.root.getBoundingClientRect();
      this.set((100 * (event.clientX - box.left)) / box.width);
    });
  }

  show(isOn) {
    this.isOn = isOn;
    if (this.divider) this.set(this.place);
  }

  set(place) {
    this.place = Math.min(100, Math.max(0, place));
    const share = `${this.place.toFixed(2)}%`;
    this.over.style.clipPath = this.isOn ? `inset(0 0 0 ${share})` : "";
    this.divider.style.left = share;
    this.divider.setAttribute("aria-valuenow", Math.round(this.place));
    this.divider.setAttribute("aria-valuetext", `${Math.round(this.place)}%`);
  }
}
