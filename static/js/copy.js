// A value or a text with a button that copies it. Markup: templates/people/copy_once.html.
import { announce } from "./toast.js";

for (const box of document.querySelectorAll("[data-copy]")) {
  const input = box.querySelector("input, textarea");
  const button = box.querySelector("button");
  const word = button.querySelector("span");
  input.addEventListener("focus", () => input.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(input.value);
      word.textContent = button.dataset.done;
    } catch {
      // Without HTTPS, or without permission, the person copies what is selected.
      input.focus();
      word.textContent = button.dataset.failed;
    }
    announce(word.textContent);
  });
}
