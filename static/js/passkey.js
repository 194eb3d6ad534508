// Passkeys: the browser makes or uses one, and the form takes its answer along.

const decoded = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const encoded = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = form.querySelector("[data-problem]");
    problem.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await answer(form.dataset.passkey));
      // Not requestSubmit: the form would ask again.
      form.submit();
    } catch {
      problem.textContent = problem.dataset.failed;
      problem.hidden = false;
    }
  });
}

/** What the passkey answers to what the page asks; `act` is "create" or "get". */
async function answer(act) {
  const { publicKey } = JSON.parse(document.getElementById("passkey-options").textContent);
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
