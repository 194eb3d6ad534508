// One file to the server, with progress; at most three at a time.
import { pageHeaders } from "../page-headers.js";
import { serverLost } from "../reachable.js";
import { askToSignIn, isSignInPage } from "../session.js";

const AT_ONCE = 3;
// A connection that is dead without saying so: no byte goes, or no answer comes.
const STALLED_MS = 30_000;
const UNANSWERED_MS = 60_000;
const waiting = [];
let busy = 0;

/**
 * Send `form` (FormData) to `url` when it is its turn. `onStart`, `onProgress(share)` and `onSent` tell how
 * far it is. `signal` takes it out of the queue or stops it. Resolves to {status, data, after} (data null
 * unless JSON; after: seconds until another try, as the server says, or 0), rejects with an Error named "NetworkError" or "AbortError".
 */
export function sendInTurn(url, form, hear) {
  return new Promise((resolve, reject) => {
    const job = { run: () => attempt(url, form, hear).then(resolve, reject) };
    hear.signal.addEventListener("abort", () => {
      const place = waiting.indexOf(job);
      if (place >= 0) waiting.splice(place, 1);
      reject(named("AbortError"));
    });
    waiting.push(job);
    next();
  });
}

function next() {
  while (busy < AT_ONCE && waiting.length) {
    busy += 1;
    waiting.shift().run().finally(() => ((busy -= 1), next()));
  }
}

async function attempt(url, form, hear) {
  const answer = await post(url, form, hear);
  if (!answer.signedOut) return answer;
  await askToSignIn();
  return post(url, form, hear);
}

function post(url, form, { onStart, onProgress, onSent, signal }) {
  return new Promise((resolve, reject) => {
    // fetch() cannot tell how much of a body has been sent.
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    let patience = 0;
    const isAlive = (milliseconds = STALLED_MS) => {
      clearTimeout(patience);
      patience = setTimeout(() => fail("NetworkError"), milliseconds);
    };
    const fail = (name) => {
      clearTimeout(patience);
      reject(named(name));
      request.abort();
      if (name === "NetworkError") serverLost();
    };
    signal.addEventListener("abort", stop, { once: true });
    request.upload.addEventListener("progress", (event) => {
      isAlive();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.upload.addEventListener("load", () => {
      isAlive(UNANSWERED_MS);
      onSent();
    });
    request.addEventListener("load", () => {
      clearTimeout(patience);
      signal.removeEventListener("abort", stop);
      resolve({
        status: request.status,
        data: parsed(request.responseText),
        after: Number(request.getResponseHeader("Retry-After")) || 0,
        signedOut: request.status === 401 || isSignInPage(request.responseURL),
      });
    });
    request.addEventListener("error", () => fail("NetworkError"));
    request.addEventListener("abort", () => fail("AbortError"));
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(pageHeaders())) request.setRequestHeader(name, value);
    onStart();
    isAlive();
    request.send(form);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function named(name) {
  const error = new Error(name);
  error.name = name;
  return error;
}
