// Nobody has touched the page for so long that the session has ended: what it shows is covered, what was typed stays.
import { idleSeconds } from "./idle.js";
import { pageHeaders } from "./page-headers.js";
import { askToSignIn } from "./session.js";

const { session, idleLimit } = document.documentElement.dataset;
const LOOK_EVERY_MS = Math.min(5000, Number(idleLimit) * 250);

async function look() {
  if (idleSeconds() >= Number(idleLimit) && (await hasEnded())) await askToSignIn({ covered: true });
  setTimeout(look, LOOK_EVERY_MS);
}

// Another window may have kept it alive.
async function hasEnded() {
  try {
    const answer = await fetch(session, { credentials: "same-origin", headers: { ...pageHeaders(), Accept: "application/json" } });
    return answer.status === 401;
  } catch {
    return false;
  }
}

if (session && Number(idleLimit)) look();
