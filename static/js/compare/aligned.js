// Photo B turned, scaled and shifted so that it lies on photo A, as the server found it; else as it is, and said so.
import { send } from "../http.js";

export class Aligned {
  constructor(section) {
    this.section = section;
    [this.first, this.second] = ["A", "B"].map((place) => section.querySelector(`[data-place="${place}"]`));
    this.said = section.querySelector("[data-align-said]");
    this.answer = null;
    if (!this.second) return;
    this.image = this.second.querySelector("img");
    this.watch = new ResizeObserver(() => this.lay());
    this.watch.observe(this.second.querySelector(".compare-view"));
  }

  /** `isOver`: whether the photos lie over each other; `isWanted`: aligned. */
  async show(isOver, isWanted) {
    if (!this.second) return;
    this.isOn = isOver && isWanted;
    this.lay();
    if (!this.isOn) {
      this.said.textContent = isOver ? this.section.dataset.unaligned : "";
      return;
    }
    if (!this.answer) {
      this.said.textContent = this.section.dataset.aligning;
      this.asked ??= this.ask();
      this.answer = await this.asked;
      this.asked = null;
      if (!this.isOn) return;
    }
    this.said.textContent = this.answer?.said ?? this.section.dataset.alignFailed;
    this.lay();
  }

  async ask() {
    const query = new URLSearchParams({ a: this.first.dataset.photo, b: this.second.dataset.photo });
    try {
      const response = await send(`${this.section.dataset.alignment}?${query}`);
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  /** The matrix in pixels of the photos becomes one of the pane, in which each photo lies whole and in the middle. */
  lay() {
    const matrix = this.isOn ? this.answer?.matrix : null;
    if (!matrix) {
      this.image.style.transform = "";
      return;
    }
    const pane = this.second.querySelector(".compare-moved");
    const [one, two] = [this.first, this.second].map((figure) => fitted(figure.dataset, pane.offsetWidth, pane.offsetHeight));
    const [a, b, c, d, e, f] = matrix;
    const [p, q, r, s] = [a, b, c, d].map((value) => (value * one.scale) / two.scale);
    const x = one.left + one.scale * e - (p * two.left + r * two.top);
    const y = one.top + one.scale * f - (q * two.left + s * two.top);
    this.image.style.transform = `matrix(${[p, q, r, s, x, y].map((value) => value.toFixed(6)).join(", ")})`;
  }

  leave() {
    this.watch?.disconnect();
  }
}

function fitted({ width, height }, paneWidth, paneHeight) {
  const scale = Math.min(paneWidth / width, paneHeight / height);
  return { scale, left: (paneWidth - scale * width) / 2, top: (paneHeight - scale * height) / 2 };
}
