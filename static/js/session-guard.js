// Before a form that was filled in is sent, see that the session still stands: what was typed would be lost.
// Comes before every other listener of "submit", so that they hear only of forms that may go.
import { csrfToken } from "./http.js";
import { askToSignIn } from "./session.js";
import { toast } from "./toast.js";

const KNOWN_FOR_MS = 60_000;
let knownAt = Date.now();

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const address = document.documentElement.dataset.session;
    if (!address || form.method !== "post" || form.closest("#sign-in-again")) return;
    if (Date.now() - knownAt < KNOWN_FOR_MS) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    if (await sessionStands(address)) form.requestSubmit(submitter);
  },
  { capture: true },
);

async function sessionStands(address) {
  try {
    const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (answer.status === 401) {
      await askToSignIn();
      renewTokens();
    }
  } catch {
    toast(document.getElementById("toasts").dataset.offline, { kind: "warning" });
    return false;
  }
  knownAt = Date.now();
  return true;
}

// Signing in changes the token; the one in the forms went with the old session.
function renewTokens() {
  for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = csrfToken();
}
