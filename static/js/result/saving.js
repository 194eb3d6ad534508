// The forms of the result page: saving, saved, offline; a form that could not be sent is sent on return.
import { setSaveState } from "../save-state.js";
import { announce } from "../toast.js";

const AGAIN_MS = 5000;
const stateOf = (form) => form.querySelector(".save-state");
const formOf = (event) => event.detail.elt?.closest?.("form[data-saves]");

document.addEventListener("htmx:beforeRequest", (event) => {
  const state = formOf(event) && stateOf(formOf(event));
  if (state) setSaveState(state, "saving");
});

// What contradicts a record comes back with 409 and shows both; it is an answer, not a failure.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status !== 409 || event.detail.target.id !== "result-panel") return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const form = formOf(event);
    if (!form) return;
    if (stateOf(form)) setSaveState(stateOf(form), "offline", { count: 1 });
    const { submitter } = event.detail.requestConfig.triggeringEvent ?? {};
    const again = () => form.isConnected && form.requestSubmit(submitter?.isConnected ? submitter : undefined);
    if (navigator.onLine) setTimeout(again, AGAIN_MS);
    else window.addEventListener("online", again, { once: true });
  });
}

document.addEventListener("htmx:responseError", (event) => {
  const state = formOf(event) && stateOf(formOf(event));
  if (state) setSaveState(state, "error");
});

let says = document.getElementById("result-panel")?.dataset.say;

/** After a swap: say a new state to screen readers; after saving, go to where reading continues. */
export function afterSwap() {
  const panel = document.getElementById("result-panel");
  if (panel.dataset.say && panel.dataset.say !== says) announce(panel.dataset.say);
  says = panel.dataset.say;
  // After an error the focus is at the field it is about (autofocus), which must not lie under the header.
  panel.querySelector("[autofocus]")?.scrollIntoView({ block: "center" });
  const { justSaved } = panel.dataset;
  if (justSaved) panel.querySelector(`[data-focus="${justSaved}"]`)?.focus();
}
