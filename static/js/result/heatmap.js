// The heatmap of one disease over the analysed square of a photo.
import { colourTable } from "./colours.js";
import { drawPanels } from "./panels.js";
import { liking, remember } from "./settings.js";
import { upsample } from "./upsample.js";

const SIZE = 256;

export class Heatmap {
  /**
   * `viewer`: the Viewer it lies in. Its tools (#stage-tools) come and go with the answer: see `attach`.
   * `startsOn`: over the photo from the first, where nobody has chosen otherwise.
   */
  constructor(viewer, { startsOn = false } = {}) {
    this.viewer = viewer;
    this.root = viewer.root;
    this.canvas = this.root.querySelector("[data-heat]");
    this.square = this.root.querySelector("[data-square]");
    this.original = this.root.querySelector("[data-original]");
    this.panels = this.root.querySelector("[data-panels]");
    this.colours = liking("colours", "cividis");
    this.opacity = liking("opacity", 60);
    // The photo is seen first, without a veil; who switches the heatmap on has it on at the next photo, too.
    this.isOn = liking("heatmap", startsOn);
    this.alone = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
    this.isHeld = false;
    this.showsPanels = false;
    this.maps = null;
    for (const element of [this.canvas, this.square]) viewer.placeOnSquare(element);
    viewer.photo.addEventListener("load", () => this.draw());
  }

  /** Take up the tools as they are now; without an answer there is nothing to draw. */
  attach() {
    const tools = this.root.querySelector("#stage-tools");
    if (this.tools === tools) return;
    this.tools = tools;
    const { mapsUrl, disease } = tools.dataset;
    if (!mapsUrl) {
      this.maps = null;
      this.url = "";
      this.show();
      return;
    }
    this.find = (name) => tools.querySelector(`[data-${name}]`);
    this.find("opacity").addEventListener("input", (event) => this.setOpacity(Number(event.target.value)));
    this.find("colours").value = this.colours;
    this.find("colours").addEventListener("change", (event) => this.setColours(event.target.value));
    this.find("heat-toggle").addEventListener("click", () => this.toggle());
    this.find("panels-toggle").setAttribute("aria-pressed", String(this.showsPanels));
    this.find("panels-toggle").addEventListener("click", () => this.togglePanels());
    this.find("heat-again").addEventListener("click", () => this.load(this.url));
    this.tell("", document.querySelector('[data-explanation=""]')?.dataset.words);
    this.listenToHold(this.find("hold"));
    this.setOpacity(this.opacity);
    this.choose(this.maps && this.url === mapsUrl ? this.disease : disease);
    if (this.url !== mapsUrl || !this.maps) this.load(mapsUrl);
  }

  async load(url) {
    this.url = url;
    this.find("heat-failed").hidden = true;
    try {
      const response = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      const { maps } = await response.json();
      if (this.url !== url) return;
      this.maps = maps;
    } catch {
      if (this.url !== url) return;
      this.maps = null;
      this.find("heat-failed").hidden = false;
    }
    this.draw();
  }

  /** Draw the heatmaps of this address instead; `key` of the explanation ("": Grad-CAM) and `words` for it. */
  explain(url, key, words) {
    this.tell(key, words);
    this.leadDownloads();
    this.maps = null;
    this.load(url);
  }

  tell(key, words) {
    this.explanation = key;
    const method = this.find("heat-method");
    if (method) method.textContent = words;
    for (const button of document.querySelectorAll("[data-explanation]")) {
      button.setAttribute("aria-pressed", String(button.dataset.explanation === key));
    }
  }

  /** Show the heatmap of the disease with this key. */
  choose(disease) {
    this.disease = disease;
    for (const button of document.querySelectorAll("[data-choose-heatmap]")) {
      const chosen = button.dataset.chooseHeatmap === disease;
      button.setAttribute("aria-pressed", String(chosen));
      if (chosen) this.find("heat-name").textContent = button.dataset.name;
    }
    this.draw();
  }

  setOpacity(percent) {
    this.opacity = Math.min(100, Math.max(0, percent));
    this.find("opacity").value = String(this.opacity);
    this.find("opacity-value").textContent = `${this.opacity}%`;
    remember("opacity", this.opacity);
    this.leadDownloads();
    this.show();
    this.drawPanels();
  }

  setColours(name) {
    this.colours = name;
    remember("colours", name);
    this.draw();
  }

  toggle() {
    this.switchTo(!this.isOn);
  }

  switchTo(isOn) {
    this.isOn = isOn;
    remember("heatmap", isOn);
    this.show();
  }

  togglePanels() {
    this.showsPanels = !this.showsPanels;
    this.find("panels-toggle").setAttribute("aria-pressed", String(this.showsPanels));
    this.panels.hidden = !this.showsPanels;
    this.viewer.stage.hidden = this.showsPanels;
    this.drawPanels();
    if (!this.showsPanels) this.viewer.fit();
  }

  hold(isHeld) {
    this.isHeld = isHeld;
    this.show();
  }

  listenToHold(button) {
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      this.hold(true);
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(name, () => this.hold(false));
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => {
      if (event.code === "Space" || event.code === "Enter") this.hold(true);
    });
    button.addEventListener("keyup", () => this.hold(false));
    button.addEventListener("blur", () => this.hold(false));
  }

  /** Show or hide what is drawn. At opacity 0, switched off or held, and while there is no photo yet, nothing is. */
  show() {
    const isThere = Boolean(this.maps) && this.viewer.photo.complete && this.viewer.photo.naturalWidth > 0;
    const isShown = isThere && this.isOn && !this.isHeld && this.opacity > 0;
    this.canvas.hidden = !isShown;
    this.square.hidden = !isShown;
    this.canvas.style.setProperty("opacity", String(this.opacity / 100));
    this.original.hidden = !this.isHeld;
    if (this.maps) this.find("heat-toggle").setAttribute("aria-pressed", String(this.isOn));
  }

  draw() {
    if (!this.tools?.dataset.mapsUrl) return;
    this.table = colourTable(this.colours);
    this.drawScale();
    if (this.maps) this.paint();
    this.canvas.dataset.shows = this.maps ? `${this.disease} ${this.colours}` : "";
    this.leadDownloads();
    this.show();
    this.drawPanels();
  }

  /** What is downloaded shows what is seen. */
  leadDownloads() {
    for (const link of document.querySelectorAll("a[data-panels-download]")) {
      const address = new URL(link.href);
      address.searchParams.set("disease", this.disease);
      address.searchParams.set("colours", this.colours);
      address.searchParams.set("opacity", String(this.opacity));
      if (this.explanation) address.searchParams.set("explanation", this.explanation);
      else address.searchParams.delete("explanation");
      link.href = address.href;
    }
  }

  /** Over the photo a low value is clear; alone, every value has its colour. */
  paint() {
    const values = upsample(this.maps[this.disease], SIZE);
    const image = new ImageData(SIZE, SIZE);
    values.forEach((value, pixel) => {
      const colour = Math.round(value * 255) * 4;
      image.data.set(this.table.subarray(colour, colour + 4), pixel * 4);
    });
    this.alone.getContext("2d").putImageData(image, 0, 0);
    values.forEach((value, pixel) => (image.data[pixel * 4 + 3] = Math.round(value * 255)));
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }

  drawScale() {
    const scale = this.find("scale");
    const image = new ImageData(scale.width, scale.height);
    for (let pixel = 0; pixel < scale.width * scale.height; pixel += 1) {
      const colour = Math.round((255 * (pixel % scale.width)) / (scale.width - 1)) * 4;
      image.data.set(this.table.subarray(colour, colour + 4), pixel * 4);
    }
    scale.getContext("2d").putImageData(image, 0, 0);
  }

  drawPanels() {
    if (this.showsPanels && this.maps) drawPanels(this.panels, this.viewer, this, this.opacity / 100);
  }
}
