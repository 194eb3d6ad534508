// Passkeys: the browser makes or uses one, and the form takes its answer along.

const decoded = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const encoded = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendAnswer(form, form.dataset.passkey, "credential");
  });
}
// In a form that may be answered in other ways as well; nothing of it has to be filled in then.
for (const button of document.querySelectorAll("button[data-use-passkey]")) {
  button.addEventListener("click", () => sendAnswer(button.form, "get", button.dataset.usePasskey));
}

async function sendAnswer(form, act, field) {
  const problem = form.querySelector("[data-problem]");
  problem.hidden = true;
  try {
    form.querySelector(`[name="${field}"]`).value = JSON.stringify(await answerTo(askedIn(document), act));
    // Not requestSubmit: the form would ask again. Nor the form's own: a field may be called so.
    HTMLFormElement.prototype.submit.call(form);
  } catch {
    problem.textContent = problem.dataset.failed;
    problem.hidden = false;
  }
}

/** What a page asks a passkey; null if it asks none. */
export function askedIn(page) {
  const options = page.getElementById("passkey-options");
  return options && JSON.parse(options.textContent);
}

/** What the passkey answers to what a page asks; `act` is "create" or "get". Rejects when there is no answer. */
export async function answerTo({ publicKey }, act) {
  publicKey.challenge = decoded(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = decoded(publicKey.user.id);
  for (const list of [publicKey.excludeCredentials, publicKey.allowCredentials]) {
    for (const known of list ?? []) known.id = decoded(known.id);
  }
  const made = await navigator.credentials[act]({ publicKey });
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name]) response[name] = encoded(made.response[name]);
  }
  return {
    id: made.id,
    rawId: encoded(made.rawId),
    type: made.type,
    response,
    clientExtensionResults: made.getClientExtensionResults(),
  };
}
