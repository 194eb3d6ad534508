// The light in the header: what the engine does, and Offline as soon as the server cannot be reached. A request that
// failed says so as much as the browser does, which does not notice when only the server or the proxy is away.
import { pageHeaders } from "./page-headers.js";
import { announce } from "./toast.js";

const EVERY_MS = 5000;
const LOST_EVERY_MS = 3000;
const HIDDEN_EVERY_MS = 30_000;
const PATIENCE_MS = 8000;
// Between two questions about the engine it is enough to know that the server is there.
const ENGINE_EVERY = 3;
const GATEWAY = new Set([502, 503, 504]);

const light = document.getElementById("engine");
let isLost = false;
let turn = 0;
let timer = 0;

/** A request got no answer. Asks at once whether that was the server. */
export function serverLost() {
  if (!light) return;
  show(true);
  later(1000);
}

async function look() {
  try {
    if (isLost || turn % ENGINE_EVERY === 0) await askEngine();
    else await ask(light.dataset.there, { credentials: "omit" });
    turn += 1;
    show(false);
  } catch {
    show(true);
  }
  later(document.hidden ? HIDDEN_EVERY_MS : isLost ? LOST_EVERY_MS : EVERY_MS);
}

async function askEngine() {
  const answer = await ask(light.dataset.engine, { headers: pageHeaders() });
  // An ended session is told where something is saved.
  if (!answer.ok) return;
  light.innerHTML = await answer.text();
}

async function ask(address, options) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(address, { credentials: "same-origin", cache: "no-store", signal, ...options });
  if (GATEWAY.has(answer.status)) throw new Error(String(answer.status));
  return answer;
}

function show(lost) {
  if (lost === isLost) return;
  isLost = lost;
  announce(lost ? light.dataset.sayLost : light.dataset.sayBack);
  if (lost) light.replaceChildren(document.getElementById("engine-lost").content.cloneNode(true));
}

function later(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(look, milliseconds);
}

if (light) {
  window.addEventListener("offline", () => show(true));
  for (const name of ["online", "focus"]) window.addEventListener(name, () => later(0));
  for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, serverLost);
  look();
}
