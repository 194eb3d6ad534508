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
    const byPasskey = form.querySelector("[data-passkey] button");
    const onSubmit = (event) => {
      event.preventDefault();
      signIn(form).then(goOn);
    };
    const onPasskey = () => signInByPasskey(form).then(goOn);
    const goOn = (isIn) => {
      if (!isIn) return;
      form.removeEventListener("submit", onSubmit);
      byPasskey.removeEventListener("click", onPasskey);
      form.reset();
      box.close();
      box.classList.remove("is-covering");
      waiting = null;
      renewTokens();
      resolve();
    };
    form.addEventListener("submit", onSubmit);
    byPasskey.addEventListener("click", onPasskey);
    // Who is still signed in may confirm by a passkey alone; else one is asked for after the password.
    if (confirms) offerPasskey(form, form.querySelector("[data-passkey]").dataset.passkey);
    else hidePasskey(form);
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
      showSecond(form, true);
      offerPasskey(form, second.dataset.second, answer);
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

const pageOf = async (response) => new DOMParser().parseFromString(await response.text(), "text/html");

/** What a page asks a passkey, as text; undefined if it asks none. */
const optionsIn = (page) => page.getElementById("passkey-options")?.textContent;

const hidePasskey = (form) => {
  form.querySelector("[data-passkey]").hidden = true;
};

/** Show the button where the page at `address` asks for a passkey. */
async function offerPasskey(form, address, response = null) {
  hidePasskey(form);
  try {
    const page = await pageOf(response ?? (await fetch(address, { credentials: "same-origin" })));
    if (!optionsIn(page)) return;
    const part = form.querySelector("[data-passkey]");
    part.dataset.at = address;
    part.hidden = false;
  } catch {
    // Without an answer there are the other ways.
  }
}

/** Have a passkey answer what the page that was offered asks now. Whether the person is signed in, or has confirmed. */
async function signInByPasskey(form) {
  const problem = form.querySelector("[data-problem]");
  const { passkey: confirms, at } = form.querySelector("[data-passkey]").dataset;
  problem.hidden = true;
  try {
    const page = await pageOf(await fetch(at, { credentials: "same-origin" }));
    const said = await passkeyAnswer("get", optionsIn(page));
    const home = document.documentElement.dataset.session;
    const answer = await post(at, page, at === confirms ? { confirm_passkey: said, next: home } : { credential: said });
    if (answer.ok && answer.redirected && !isSignInPage(answer.url)) {
      showSecond(form, false);
      return true;
    }
    problem.textContent = problem.dataset.failed;
  } catch (error) {
    problem.textContent = whyNoAnswer(error, problem.dataset);
  }
  problem.hidden = false;
  return false;
}

async function send(address, data) {
  // The token of a page of its own is needed: the old one went with the session.
  return post(address, await pageOf(await fetch(address, { credentials: "same-origin" })), data);
}

function post(address, page, data) {
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
  if (form.elements.password) form.elements.password.disabled = isAsked;
  if (isAsked) codeOf(form).focus();
}
