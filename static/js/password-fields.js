// Fields of passwords: what was typed can be looked at, and a new one says how hard it is to guess.
import { strengthOf } from "./password-strength.js";

const LEVELS = ["short", "weak", "fair", "strong"];
const parts = document.getElementById("password-parts");

function say(line, input) {
  const strength = input.value ? strengthOf(input.value, Number(parts.dataset.least)) : "";
  line.hidden = !strength;
  line.querySelector("meter").value = LEVELS.indexOf(strength) + 1;
  line.querySelector("output").textContent = strength ? parts.dataset[strength] : "";
}

function equip(input) {
  const made = parts.content.cloneNode(true);
  const button = made.querySelector("button");
  const line = made.querySelector(".password-strength");
  const show = (isShown) => {
    input.type = isShown ? "text" : "password";
    button.textContent = isShown ? button.dataset.hide : button.dataset.show;
    button.setAttribute("aria-pressed", isShown);
  };
  show(false);
  if (input.id) button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  // Browsers remember what is typed into a field of text.
  input.form?.addEventListener("submit", () => show(false));
  window.addEventListener("pagehide", () => show(false));
  input.closest("dialog")?.addEventListener("close", () => show(false));
  // The second field only repeats the first.
  if (input.autocomplete === "new-password" && !input.name.endsWith("2")) {
    input.addEventListener("input", () => say(line, input));
  } else {
    line.remove();
  }
  input.after(made);
}

for (const input of document.querySelectorAll("input[type=password]")) equip(input);
