// Cards chosen to be filed under one patient together.
import { say } from "./words.js";

const form = document.getElementById("file-together");
const boxes = (root = document) => [...root.querySelectorAll("input[form=file-together]")];

/** Show how many are chosen, and "Select all" where there are several to choose from. */
export function showSelection() {
  const chosen = boxes().filter((box) => box.checked).length;
  form.hidden = chosen === 0;
  form.querySelector("[data-selected-text]").textContent = say("selected", { count: chosen });
  for (const button of document.querySelectorAll("[data-select-all]")) {
    button.hidden = boxes(button.closest("section")).length < 2;
  }
}

function choose(some, on) {
  for (const box of some) box.checked = on;
  showSelection();
}

document.addEventListener("change", (event) => event.target.matches("input[form=file-together]") && showSelection());
for (const button of document.querySelectorAll("[data-select-all]")) {
  button.addEventListener("click", () => {
    const mine = boxes(button.closest("section"));
    choose(mine, mine.some((box) => !box.checked));
  });
}
const clear = form.querySelector("[data-clear]");
clear.hidden = false;
clear.addEventListener("click", () => choose(boxes(), false));
document.addEventListener("cards:changed", showSelection);
// Back from filing the browser ticks what was ticked, after this script.
window.addEventListener("pageshow", showSelection);
showSelection();
