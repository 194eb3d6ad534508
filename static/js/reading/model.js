// The model's answer in an aided session: bars and heatmap, as on the clinic's result page.
import { setUpBars } from "../result/bars.js";
import { Heatmap } from "../result/heatmap.js";

export class ModelAnswer {
  /** `viewer`: the Viewer of the photo; `place`: where the bars go. */
  constructor(viewer, place) {
    this.viewer = viewer;
    this.place = place;
    this.heatmap = new Heatmap(viewer);
    this.shown = null;
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-choose-heatmap]");
      if (button && this.heatmap.maps) this.heatmap.choose(button.dataset.chooseHeatmap);
    });
  }

  get hasMaps() {
    return Boolean(this.heatmap.maps);
  }

  /** Fetch the model's answer from `url` and show it. Rejects when the server does not give it. */
  async show(url) {
    this.hide();
    this.shown = url;
    const answer = await fetch(url, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (this.shown !== url) return;
    const tools = page.querySelector("#stage-tools");
    const box = page.querySelector("[data-box]")?.dataset.box.split(",").map(Number);
    this.place.replaceChildren(page.querySelector(".reading-model"));
    if (tools) this.lay(tools, box);
    setUpBars();
  }

  lay(tools, [x, y, size]) {
    this.viewer.box = { x, y, size };
    for (const element of [this.heatmap.canvas, this.heatmap.square]) this.viewer.placeOnSquare(element);
    this.tools().replaceWith(tools);
    this.heatmap.attach();
    this.viewer.fit();
  }

  /** Nothing of a model is in sight any more. */
  hide() {
    this.shown = null;
    if (this.heatmap.showsPanels) this.heatmap.togglePanels();
    this.place.replaceChildren();
    const empty = document.createElement("div");
    empty.className = "viewer-tools";
    empty.id = "stage-tools";
    this.tools().replaceWith(empty);
    this.heatmap.attach();
  }

  tools() {
    return this.viewer.root.querySelector("#stage-tools");
  }
}
