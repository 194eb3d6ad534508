// A session that ended, and what must not be done without, ask for the password in place; what was typed stays.
import { pageHeaders, renewTokens } from "./page-headers.js";
import { passkeyAnswer, whyNoAnswer } from "./passkey-answer.js";

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
      await goOnIf(signIn(form));
    };
    const onPasskey = () => goOnIf(signInByPasskey(form));
    const goOnIf = async (done) => {
      if (!(await done)) return;
      form.removeEventListener("submit", onSubmit);
      passkeyOf(form).removeEventListener("click", onPasskey);
      form.reset();
      box.close();
      box.classList.remove("is-covering");
      waiting = null;
      renewTokens();
      resolve();
    };
    form.addEventListener("submit", onSubmit);
    passkeyOf(form).addEventListener("click", onPasskey);
    box.addEventListener("cancel", (event) => event.preventDefault());
    box.showModal();
    firstOf(form).focus();
  });
  return waiting;
}

/** Send the password, or the code that was asked for after it. Whether the person is signed in now. */
async function signIn(form) {
  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button[type=submit]");
  const second = form.querySelector("[data-second]");
  problem.hidden = true;
  button.disabled = true;
  try {
    if ("elsewhere" in form.dataset) {
      if (await isSignedIn()) return true;
      throw new Error("not yet");
    }
    const address = second.hidden ? form.action : second.dataset.second;
    const answer = await send(address, second.hidden ? new FormData(form) : { code: codeOf(form).value });
    if (answer.redirected && samePath(answer.url, second.dataset.second)) {
      passkeyOf(form).hidden = !optionsIn(parsed(await answer.text()));
      showSecond(form, true);
      return false;
    }
    if (answer.ok && answer.redirected && !isSignInPage(answer.url)) {
      showSecond(form, false);
      return true;
    }
    if (answer.redirected) showSecond(form, false);
    // Too many tries, too many people: the server says how long to wait.
    const said = answer.ok ? null : await answer.json().catch(() => null);
    problem.textContent = said?.error?.message ?? (second.hidden ? problem.dataset.wrong : problem.dataset.wrongCode);
  } catch {
    problem.textContent = "elsewhere" in form.dataset ? problem.dataset.wrong : problem.dataset.offline;
  } finally {
    button.disabled = false;
  }
  problem.hidden = false;
  if (second.hidden) firstOf(form).focus();
  else codeOf(form).select();
  return false;
}

/** The passkey in place of a code. Whether the person is signed in now. */
async function signInByPasskey(form) {
  const problem = form.querySelector("[data-problem]");
  const { second: address } = form.querySelector("[data-second]").dataset;
  problem.hidden = true;
  try {
    const page = await pageAt(address);
    const credential = await passkeyAnswer("get", optionsIn(page));
    const answer = await sendFrom(page, address, { credential });
    if (answer.ok && answer.redirected && !isSignInPage(answer.url)) {
      showSecond(form, false);
      return true;
    }
    problem.textContent = passkeyOf(form).dataset.failed;
  } catch (error) {
    problem.textContent = whyNoAnswer(error, passkeyOf(form).dataset);
  }
  problem.hidden = false;
  return false;
}

const passkeyOf = (form) => form.querySelector("[data-passkey-again]");
const optionsIn = (page) => page.getElementById("passkey-options")?.textContent;
const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
const pageAt = async (address) => parsed(await (await fetch(address, { credentials: "same-origin" })).text());
const send = async (address, data) => sendFrom(await pageAt(address), address, data);

function sendFrom(page, address, data) {
  // The token of a page of its own is needed: the old one went with the session.
  const token = page.querySelector("[name=csrfmiddlewaretoken]")?.value;
  return fetch(address, {
    method: "POST",
    body: new URLSearchParams(data),
    credentials: "same-origin",
    headers: { "X-CSRFToken": token ?? "", "X-Requested-With": "fetch" },
  });
}

// Whoever has no password here signs in in another window.
const firstOf = (form) => form.elements.password ?? form.querySelector("[data-first] a");
const isSignedIn = async () =>
  (await fetch(document.documentElement.dataset.session, { headers: { ...pageHeaders(), Accept: "application/json" } })).ok;
const codeOf = (form) => form.querySelector("[data-second] input");
const samePath = (url, other) => new URL(url, location.href).pathname === new URL(other, location.href).pathname;

function showSecond(form, isAsked) {
  const second = form.querySelector("[data-second]");
  second.hidden = !isAsked;
  form.querySelector("[data-first]").hidden = isAsked;
  codeOf(form).disabled = !isAsked;
  form.elements.password.disabled = isAsked;
  if (isAsked) codeOf(form).focus();
}
