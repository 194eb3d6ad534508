// A value or a text with a button that copies it, and perhaps one that prints the page. Markup:
// templates/people/copy_once.html; a list: [data-copied].
import { announce } from "./toast.js";

for (const box of document.querySelectorAll("[data-copy]")) {
  const input = box.querySelector("input, textarea");
  const list = box.querySelector("[data-copied]");
  const button = box.querySelector("button[data-done]");
  const word = button.querySelector("span");
  input?.addEventListener("focus", () => input.select());
  box.querySelector("[data-print]")?.addEventListener("click", () => window.print());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(input ? input.value : linesOf(list));
      word.textContent = button.dataset.done;
    } catch {
      // Without HTTPS, or without permission, the person copies what is selected.
      if (input) input.focus();
      else getSelection().selectAllChildren(list);
      word.textContent = button.dataset.failed;
    }
    announce(word.textContent);
  });
  // A press before now would have done nothing.
  button.disabled = false;
}

function linesOf(list) {
  return Array.from(list.children, (line) => line.textContent.trim()).join("\n");
}
