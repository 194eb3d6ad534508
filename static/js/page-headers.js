// What every request of a page says of it: the CSRF token, for whom the page was made, since when nobody touches it.
import { idleSeconds } from "./idle.js";

/** Return the CSRF token: the cookie, since signing in again changes it, else the one in the page. */
export function csrfToken() {
  const cookie = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/);
  return cookie ? decodeURIComponent(cookie[1]) : document.documentElement.dataset.csrf;
}

/**
 * X-Person: the server takes nothing from this page in the name of somebody who signed in elsewhere since.
 * X-Idle: a page that asks of its own accord keeps no session alive.
 */
export function pageHeaders() {
  const { person } = document.documentElement.dataset;
  return {
    "X-CSRFToken": csrfToken(),
    "X-Requested-With": "fetch",
    "X-Idle": String(idleSeconds()),
    ...(person ? { "X-Person": person } : {}),
  };
}

/** Signing in changes the token, here or in another tab; the one in the forms went with the old session. */
export function renewTokens(root = document) {
  for (const field of root.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = csrfToken();
}
