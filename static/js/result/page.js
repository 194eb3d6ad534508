// The result page: photo, heatmap, bars, assessment and their keys.
import { bindKey } from "../keys.js";
import { setUpBars } from "./bars.js";
import "./crop-dialog.js";
import { bindFreeKey } from "./free-keys.js";
import { Heatmap } from "./heatmap.js";
import { chooseByKey, DISEASE_CODES } from "./naming.js";
import { setUpRanked } from "./ranked.js";
import { afterSwap } from "./saving.js";
import { Viewer, WAYS } from "./viewer.js";

const OPACITY_STEP = 5;

const viewer = new Viewer(document.getElementById("viewer"));
const heatmap = new Heatmap(viewer);
const hasAnswer = () => Boolean(heatmap.maps);

function setUp() {
  setUpBars();
  heatmap.attach();
  setUpRanked();
}

setUp();
document.addEventListener("htmx:afterSettle", (event) => {
  setUp();
  if (event.detail.target.id === "result-panel" || event.detail.elt.id === "result-panel") afterSwap();
});

document.addEventListener("click", (event) => {
  const explanation = event.target.closest?.("[data-explanation]");
  if (!explanation) return;
  heatmap.explain(explanation.dataset.mapsUrl, explanation.dataset.explanation, explanation.dataset.words);
  heatmap.switchTo(true);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-choose-heatmap]");
  if (!button || !hasAnswer()) return;
  heatmap.choose(button.dataset.chooseHeatmap);
  heatmap.switchTo(true);
});

DISEASE_CODES.forEach((code, place) => {
  bindKey(code, () => {
    const chip = document.querySelector(`[data-choose-heatmap][data-place="${place}"]`);
    if (!chooseByKey(place)) chip?.click();
  });
});

const ifAnswer = (run) => () => hasAnswer() && run();
bindKey("KeyH", ifAnswer(() => heatmap.toggle()));
bindKey("KeyP", ifAnswer(() => heatmap.togglePanels()));
bindKey("BracketLeft", viewer.zoomOut, { repeat: true });
bindKey("BracketRight", viewer.zoomIn, { repeat: true });
bindKey("KeyF", () => viewer.fit());
bindFreeKey("Space", ifAnswer(() => heatmap.hold(true)), {
  up: () => heatmap.hold(false),
  overClicked: true,
});
const held = { repeat: true, overClicked: true };
bindFreeKey("ArrowLeft", ifAnswer(() => heatmap.setOpacity(heatmap.opacity - OPACITY_STEP)), held);
bindFreeKey("ArrowRight", ifAnswer(() => heatmap.setOpacity(heatmap.opacity + OPACITY_STEP)), held);

for (const way of Object.keys(WAYS)) bindFreeKey(`Arrow${way}`, () => viewer.nudge(way), { ...held, shift: true });

const click = (selector) => () => document.querySelector(selector)?.click();
for (const [code, ...ids] of [["KeyA", "agree", "keep"], ["KeyT", "take"], ["KeyC", "change"], ["KeyX", "dismiss"]]) {
  bindKey(code, () => {
    const choice = ids.map((id) => document.getElementById(`decide-${id}`)).find(Boolean);
    if (!choice) return;
    choice.closest("details")?.setAttribute("open", "");
    choice.click();
    choice.focus({ preventScroll: true });
  });
}
bindKey("KeyU", click("[data-undo]"));
bindFreeKey("Enter", () => {
  const form = document.querySelector("#impression-form, #decision-form");
  if (form?.querySelector("input[type=radio]:checked")) form.requestSubmit();
});
