// Symptoms and notes: V goes there; an answer that shows both versions (409) is shown, and what was said has the focus.
import { bindKey } from "./keys.js";

bindKey("KeyV", () => {
  const panel = document.getElementById("visit");
  const asked = panel?.querySelector(".visit-asked");
  if (asked?.matches("details")) asked.open = true;
  (asked?.querySelector("input:checked") ?? panel?.querySelector("#visit-title"))?.focus({ preventScroll: true });
  panel?.scrollIntoView({ block: "start" });
});

// What was typed in the other forms of the panel, which comes anew: [address of the form, its fields].
let kept = [];

function isTouched(form) {
  return [...form.elements].some((field) =>
    field.type === "radio" ? field.checked !== field.defaultChecked : field.type !== "hidden" && field.value !== field.defaultValue && "defaultValue" in field,
  );
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, requestConfig } = event.detail;
  if (target.id !== "visit") return;
  if (xhr.status === 409) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
  const sent = requestConfig.elt;
  // Answers are those of one visit; a note goes to the one that is shown.
  const which = sent.matches(".visit-days") ? "form.visit-note-form" : "form[method=post]";
  const touched = [...target.querySelectorAll(which)].filter((form) => form !== sent && isTouched(form));
  kept = touched.map((form) => [form.getAttribute("action"), [...new FormData(form)]]);
});

function fillAgain() {
  for (const [action, fields] of kept) {
    const form = document.querySelector(`#visit form[action="${CSS.escape(action)}"]`);
    for (const [name, value] of fields) {
      const field = form?.elements[name];
      if (field && field.type !== "hidden") field.value = value;
    }
    form?.closest("details")?.setAttribute("open", "");
  }
  kept = [];
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id !== "visit") return;
  fillAgain();
  const at = document.querySelector("#visit :is(.changed-meanwhile, [aria-invalid=true], #visit-said)");
  (at ?? document.getElementById("visit-on"))?.focus();
});
