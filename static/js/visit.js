// Symptoms and notes: V goes there; an answer that shows both versions (409) is shown, and what was said has the focus.
import { bindKey } from "./keys.js";

bindKey("KeyV", () => {
  const panel = document.getElementById("visit");
  const asked = panel?.querySelector(".visit-asked");
  if (asked?.matches("details")) asked.open = true;
  (asked?.querySelector("input:checked") ?? panel?.querySelector("#visit-title"))?.focus({ preventScroll: true });
  panel?.scrollIntoView({ block: "start" });
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status !== 409 || event.detail.target.id !== "visit") return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id !== "visit") return;
  const at = document.querySelector("#visit :is(.changed-meanwhile, [aria-invalid=true], #visit-said)");
  (at ?? document.getElementById("visit-on"))?.focus();
});
