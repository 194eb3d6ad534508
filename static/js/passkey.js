// Passkeys: the browser makes or uses one, and the form takes its answer along.
import { passkeyAnswer, whyNoAnswer } from "./passkey-answer.js";

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
    const options = document.getElementById("passkey-options").textContent;
    form.querySelector(`[name="${field}"]`).value = await passkeyAnswer(act, options);
    // Not requestSubmit: the form would ask again. Nor the form's own: a field may be called so.
    HTMLFormElement.prototype.submit.call(form);
  } catch (error) {
    problem.textContent = whyNoAnswer(error, problem.dataset);
    problem.hidden = false;
  }
}
