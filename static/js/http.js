// Requests to our own server: CSRF token, and a session that ended in the middle of work.
import { pageHeaders } from "./page-headers.js";
import { serverLost } from "./reachable.js";
import { askToSignIn, isSignInPage } from "./session.js";

/**
 * fetch() with the CSRF token. If the session has ended it asks for the password in place and sends the
 * same request once more, so nothing typed is lost; likewise where the password is needed again. Rejects only as fetch does: when there is no network.
 */
export async function send(url, options = {}) {
  const attempt = async () => {
    try {
      const headers = { ...pageHeaders(), ...options.headers };
      return await fetch(url, { credentials: "same-origin", ...options, headers });
    } catch (error) {
      if (error.name !== "AbortError") serverLost();
      throw error;
    }
  };
  const response = await attempt();
  const asked = await whatIsAsked(response);
  if (!asked) return response;
  await askToSignIn(asked);
  return attempt();
}

/** send() with a JSON body; returns {ok, status, data}, data being null when the answer is not JSON. */
export async function sendJson(url, body, { method = "POST", ...options } = {}) {
  const response = await send(url, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    ...options,
    headers: { "Content-Type": "application/json", Accept: "application/json", ...options.headers },
  });
  const data = await response.json().catch(() => null);
  return { ok: response.ok, status: response.status, data };
}

// null, or how the dialog asks: the session has ended, or what is to be done needs the password once more.
async function whatIsAsked(response) {
  if ((response.redirected && isSignInPage(response.url)) || response.status === 401) return {};
  if (response.status !== 403) return null;
  const body = await response.clone().json().catch(() => null);
  const code = body?.error?.code ?? body?.code;
  return code === "not_authenticated" ? {} : code === "confirm_needed" ? { confirms: true } : null;
}
