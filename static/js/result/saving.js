// The forms of the result page: saving, saved, offline; a form that could not be sent is sent on return.
import { setSaveState } from "../save-state.js";
import { announce } from "../toast.js";

const FIRST_MS = 5000;
const LONGEST_MS = 60_000;
// The server is away behind its proxy: as good as no connection.
const GATEWAY = new Set([502, 503, 504]);
const waiting = new Map();
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
    if (formOf(event)) sendLater(formOf(event), event.detail.requestConfig.triggeringEvent?.submitter);
  });
}

document.addEventListener("htmx:responseError", (event) => {
  const form = formOf(event);
  if (!form) return;
  if (GATEWAY.has(event.detail.xhr.status)) sendLater(form, event.detail.requestConfig.triggeringEvent?.submitter);
  else if (stateOf(form)) setSaveState(stateOf(form), "error");
});

// A form that is on its way when the connection comes back, and fails, is soon sent again.
window.addEventListener("online", () => waiting.forEach((one) => (one.pause = FIRST_MS / 2)));

/** Try again after a pause that doubles, when the connection is back, and when somebody comes back to the page. */
function sendLater(form, submitter) {
  if (stateOf(form)) setSaveState(stateOf(form), "offline", { count: 1 });
  const pause = Math.min(LONGEST_MS, 2 * (waiting.get(form)?.pause ?? FIRST_MS / 2));
  const stop = new AbortController();
  const again = () => {
    clearTimeout(timer);
    stop.abort();
    waiting.get(form).isDue = false;
    if (form.isConnected) form.requestSubmit(submitter?.isConnected ? submitter : undefined);
  };
  const timer = setTimeout(again, pause);
  for (const name of ["online", "focus"]) window.addEventListener(name, again, { signal: stop.signal });
  waiting.set(form, { pause, isDue: true });
}

// What waits here is nowhere else.
window.addEventListener("beforeunload", (event) => {
  for (const [form, { isDue }] of waiting) if (isDue && form.isConnected) event.preventDefault();
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
