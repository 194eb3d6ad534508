// The bars' axis: the server has computed every place, this only chooses among them.
import { liking, remember } from "./settings.js";

function setAxis(bars, name) {
  bars.dataset.axis = name;
  for (const mark of bars.querySelectorAll("[data-attribute]")) {
    mark.setAttribute(mark.dataset.attribute, mark.dataset[name]);
  }
  for (const axis of bars.querySelectorAll("[data-axis-of]")) {
    axis.toggleAttribute("hidden", axis.dataset.axisOf !== name);
  }
  bars.querySelector("[data-axis-choice]").value = name;
}

/** Draw the bars of this page on the remembered axis. */
export function setUpBars() {
  const bars = document.querySelector("[data-bars]");
  const name = bars && liking("axis", bars.dataset.axis);
  if (bars && bars.dataset.axis !== name) setAxis(bars, name);
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-axis-choice]")) return;
  remember("axis", event.target.value);
  setAxis(event.target.closest("[data-bars]"), event.target.value);
});
