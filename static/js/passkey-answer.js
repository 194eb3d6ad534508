// What a passkey answers to what the server asks, and why there was no answer.

const decoded = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const encoded = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** The answer as text; `act` is "create" or "get", `options` the JSON text of the page. */
export async function passkeyAnswer(act, options) {
  const { publicKey } = JSON.parse(options);
  publicKey.challenge = decoded(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = decoded(publicKey.user.id);
  for (const list of [publicKey.excludeCredentials, publicKey.allowCredentials]) {
    for (const known of list ?? []) known.id = decoded(known.id);
  }
  if (!navigator.credentials) throw new DOMException("no passkeys here", "SecurityError");
  const made = await navigator.credentials[act]({ publicKey });
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name]) response[name] = encoded(made.response[name]);
  }
  return JSON.stringify({
    id: made.id,
    rawId: encoded(made.rawId),
    type: made.type,
    response,
    clientExtensionResults: made.getClientExtensionResults(),
  });
}

/** In the words of templates/mfa/passkey_problem.html. */
export function whyNoAnswer(error, words) {
  if (error.name === "SecurityError") return words.address;
  return error.name === "InvalidStateError" ? words.known : words.failed;
}
