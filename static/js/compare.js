// Photos of one lesion: beside each other, one wiped over the other, or in turn. Mode, photos and alignment are the
// form's, and the address says them; which photos are chosen brings the stage anew (htmx).
import { Aligned } from "./compare/aligned.js";
import { Flicker } from "./compare/flicker.js";
import { Stage } from "./compare/stage.js";
import { Swipe } from "./compare/swipe.js";
import { bindZoomKeys } from "./compare/zoom-keys.js";
import { bindKey } from "./keys.js";

const form = document.getElementById("compare-form");
let shown = null;

class Compare {
  constructor(root) {
    this.stage = new Stage(root);
    this.swipe = new Swipe(root);
    this.flicker = new Flicker(root);
    this.aligned = new Aligned(root);
    root.querySelector("[data-compare-tools]").hidden = false;
    this.follow();
  }

  /** What the form says holds. */
  follow() {
    const mode = form.querySelector("[name=mode]:checked")?.value ?? "side";
    this.stage.root.dataset.mode = mode;
    if (mode !== "flicker") this.flicker.stop();
    this.swipe.show(mode === "swipe");
    this.aligned.show(mode !== "side", Boolean(form.querySelector("[name=align]")?.checked));
  }

  leave() {
    this.flicker.leave();
    this.aligned.leave();
  }
}

function address() {
  return `${new URL(form.action).pathname}?${new URLSearchParams(new FormData(form))}`;
}

/** A photo that was in another place gives it that of the one chosen before. */
function trade(event) {
  const { name, value } = event.target;
  const before = event.currentTarget.dataset[name];
  for (const other of ["a", "b", "c"]) {
    if (other === name || !value) continue;
    const same = form.querySelector(`[name=${other}]:checked`);
    if (same?.value !== value) continue;
    const given = form.querySelector(`#compare-${other}-${before}`);
    if (given) given.checked = true;
    else if (other === "c") form.querySelector("#compare-c-none").checked = true;
    else same.checked = false;
  }
  remember(event.currentTarget);
}

function remember(choice) {
  for (const place of ["a", "b", "c"]) choice.dataset[place] = form.querySelector(`[name=${place}]:checked`)?.value ?? "";
}

function start() {
  const root = document.getElementById("compare");
  if (!root || shown?.stage.section === root) return;
  shown?.leave();
  shown = new Compare(root);
}

if (form) {
  start();
  const choice = form.querySelector("[data-compare-choice]");
  if (choice) {
    remember(choice);
    // Before htmx, which sends what stands then.
    choice.addEventListener("change", trade, true);
    const chosen = choice.querySelector("li:has(:checked)");
    if (chosen) choice.querySelector(".filmstrip").scrollLeft = chosen.offsetLeft - 48;
  }
  form.querySelector("[data-compare-modes]")?.addEventListener("change", () => {
    history.replaceState(history.state, "", address());
    shown.follow();
  });
  document.addEventListener("htmx:afterSettle", start);
  bindZoomKeys((name) => shown.stage.command(name));
  bindKey("KeyX", () => shown.flicker.hold());
}
