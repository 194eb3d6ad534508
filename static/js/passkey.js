// Passkeys: the browser makes or uses one, and the form takes its answer along.
import { passkeyAnswer, whyNoAnswer } from "./passkey-answer.js";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = form.querySelector("[data-problem]");
    problem.hidden = true;
    try {
      const options = document.getElementById("passkey-options").textContent;
      form.elements.credential.value = await passkeyAnswer(form.dataset.passkey, options);
      // Not requestSubmit: the form would ask again.
      form.submit();
    } catch (error) {
      problem.textContent = whyNoAnswer(error, problem.dataset);
      problem.hidden = false;
    }
  });
}
