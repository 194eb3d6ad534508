// Before a form that was filled in is sent, see that the session still stands: what was typed would be lost.
// Comes before every other listener of "submit", so that they hear only of forms that may go.
import { pageHeaders, renewTokens } from "./page-headers.js";
import { askToSignIn } from "./session.js";
import { toast } from "./toast.js";

const asked = new WeakSet();
const mayGo = new WeakSet();

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const address = document.documentElement.dataset.session;
    if (!address || form.method !== "post" || form.closest("#sign-in-again")) return;
    // htmx keeps the page, and asks for the password when the answer says so.
    if (form.hasAttribute("hx-post") || mayGo.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (asked.has(form)) return;
    asked.add(form);
    const stands = await sessionStands(address);
    asked.delete(form);
    if (!stands) delete form.dataset.confirmed;
    if (!stands || !form.isConnected) return;
    renewTokens(form);
    mayGo.add(form);
    form.requestSubmit(event.submitter);
    // Where the browser found a field wrong, nothing was sent.
    mayGo.delete(form);
  },
  { capture: true },
);

async function sessionStands(address) {
  try {
    const answer = await fetch(address, {
      credentials: "same-origin",
      headers: { ...pageHeaders(), Accept: "application/json" },
    });
    if (answer.status === 401) await askToSignIn();
    else if (!answer.ok) throw new Error(String(answer.status));
    return true;
  } catch {
    toast(document.getElementById("toasts").dataset.offline, { kind: "warning" });
    return false;
  }
}
