// A session that ended, and what must not be done without, ask for the password in place; what was typed stays.
import { renewTokens } from "./page-headers.js";

const dialog = () => document.getElementById("sign-in-again");
let waiting = null;

/** Whether `url` is the sign-in page, where requests land when the session has ended. */
export function isSignInPage(url) {
  const home = document.documentElement.dataset.signIn;
  return Boolean(home) && new URL(url, location.href).pathname === new URL(home, location.href).pathname;
}

/**
 * Open the dialog, or join the one that is open. Resolves when the same person has signed in again.
 * `covered`: nobody was there, and whoever comes by sees nothing of the page behind it. `confirms`: the session stands,
 * but what is to be done needs the password again.
 */
export function askToSignIn({ covered = false, confirms = false } = {}) {
  if (covered) dialog().classList.add("is-covering");
  if (!waiting) for (const part of dialog().querySelectorAll("[data-why]")) part.hidden = (part.dataset.why === "confirm") !== confirms;
  waiting ??= new Promise((resolve) => {
    const box = dialog();
    const form = box.querySelector("form");
    const onSubmit = async (event) => {
      event.preventDefault();
      if (!(await signIn(form))) return;
      form.removeEventListener("submit", onSubmit);
      form.reset();
      box.close();
      box.classList.remove("is-covering");
      waiting = null;
      renewTokens();
      resolve();
    };
    form.addEventListener("submit", onSubmit);
    box.addEventListener("cancel", (event) => event.preventDefault());
    box.showModal();
    form.elements.password.focus();
  });
  return waiting;
}

async function signIn(form) {
  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button[type=submit]");
  problem.hidden = true;
  button.disabled = true;
  try {
    // The token of a signed-out page is needed: the old one went with the session.
    const page = await fetch(form.action, { credentials: "same-origin" });
    const token = new DOMParser()
      .parseFromString(await page.text(), "text/html")
      .querySelector("[name=csrfmiddlewaretoken]")?.value;
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      credentials: "same-origin",
      headers: { "X-CSRFToken": token ?? "", "X-Requested-With": "fetch" },
    });
    if (answer.ok && answer.redirected && !isSignInPage(answer.url)) return true;
    // Too many tries, too many people: the server says how long to wait.
    const said = answer.ok ? null : await answer.json().catch(() => null);
    problem.textContent = said?.error?.message ?? problem.dataset.wrong;
  } catch {
    problem.textContent = problem.dataset.offline;
  } finally {
    button.disabled = false;
  }
  problem.hidden = false;
  form.elements.password.select();
  return false;
}
