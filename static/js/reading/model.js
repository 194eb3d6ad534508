// The model's answer in an aided session: bars and heatmap, as on the clinic's result page.
import { setUpBars } from "../result/bars.js";
import { Heatmap } from "../result/heatmap.js";

// Where it lies: on phones and low screens between photo and answers, so that it is seen before the decision; where
// there is room for both, below the answers.
const SMALL = matchMedia("(max-width: 991.98px), (max-height: 800px)");
const SEEN_MS = 500;

export class ModelAnswer {
  /** `viewer`: the Viewer of the photo; `place`: where the bars go; `slots`: {first, last} of the panel. */
  constructor(viewer, place, slots) {
    this.viewer = viewer;
    this.place = place;
    /** Whether the first of the model's diagnoses was in view; null where there is none. */
    this.wasSeen = null;
    this.watcher = new IntersectionObserver((entries) => this.onView(entries.at(-1)), { threshold: 1 });
    const settle = () => (SMALL.matches ? slots.first : slots.last).append(place);
    SMALL.addEventListener("change", settle);
    settle();
    this.heatmap = new Heatmap(viewer, { startsOn: true });
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
    const first = this.place.querySelector(".bars-list > li");
    this.wasSeen = first ? false : null;
    if (first) this.watcher.observe(first);
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
    this.wasSeen = null;
    this.watcher.disconnect();
    clearTimeout(this.seenTimer);
    if (this.heatmap.showsPanels) this.heatmap.togglePanels();
    this.place.replaceChildren();
    const empty = document.createElement("div");
    empty.className = "viewer-tools";
    empty.id = "stage-tools";
    this.tools().replaceWith(empty);
    this.heatmap.attach();
  }

  onView(entry) {
    clearTimeout(this.seenTimer);
    if (!entry.isIntersecting) return;
    this.seenTimer = setTimeout(() => (this.wasSeen = true), SEEN_MS);
  }

  tools() {
    return this.viewer.root.querySelector("#stage-tools");
  }
}
