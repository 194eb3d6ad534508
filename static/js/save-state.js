// "Saved 14:02 / Saving / Offline: 3 waiting" of components/save_state.html.
import { clock } from "./dates.js";

/** Show `state` (saving, saved, offline, error or "") in `element`; `count` is what waits when offline. */
export function setSaveState(element, state, { count = 0 } = {}) {
  element.dataset.state = state;
  if (state === "saved") {
    element.querySelector("time").textContent = clock(new Date());
  }
  if (state === "offline") element.querySelector("[data-count]").textContent = String(count);
}
