// What comes next with a lesion: B goes there; what was said after saving has the focus.
import { bindKey } from "./keys.js";

bindKey("KeyB", () => {
  const plan = document.getElementById("plan");
  const first = plan?.querySelector("#plan-follow-up fieldset button") ?? plan?.querySelector("#plan-title");
  first?.focus({ preventScroll: true });
  plan?.scrollIntoView({ block: "start" });
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id === "plan") document.getElementById("plan-said")?.focus();
});
