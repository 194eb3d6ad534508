// A question before the page is left while photos are not sent yet, and what leaving means for them.
import { confirmAction } from "../confirm.js";
import { say } from "./words.js";

let mayLeave = false;

/** `unsent()` gives the cards of photos that the server has not acknowledged. */
export function askBeforeLeaving(unsent) {
  const ask = () => {
    const count = unsent().length;
    const isLost = unsent().some((card) => card.isAtRisk);
    return confirmAction(say(isLost ? "leaveLost" : "leaveKept", { count }), { label: say("leaveLabel"), danger: isLost });
  };

  // After every other listener: a link or form that a script takes for itself leaves nothing.
  window.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.target || link.hash || !unsent().length) return;
    event.preventDefault();
    if (!(await ask())) return;
    mayLeave = true;
    location.assign(link.href);
  });
  for (const form of document.querySelectorAll("header form")) {
    form.addEventListener("submit", async (event) => {
      if (mayLeave || !unsent().length) return;
      event.preventDefault();
      event.stopPropagation();
      if (!(await ask())) return;
      mayLeave = true;
      form.requestSubmit(event.submitter);
    });
  }
  // The browser asks in its own words, so only where something is lost or stopped on its way.
  window.addEventListener("beforeunload", (event) => {
    if (!mayLeave && unsent().some((card) => card.isPending || card.isAtRisk)) event.preventDefault();
  });
  window.addEventListener("pageshow", () => (mayLeave = false));
}
