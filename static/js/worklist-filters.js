// On a phone the filters are folded behind one button, which says how many are asked for.
const form = document.getElementById("worklist-filters");
const button = form?.querySelector(".worklist-fold");
const folded = document.getElementById("worklist-folded");

function count() {
  const asked = [...folded.querySelectorAll("select, input")].filter((field) => field.value).length;
  button.querySelector("[data-folded]").textContent = asked ? ` (${asked})` : "";
}

if (button) {
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(isOpen));
    form.classList.toggle("is-unfolded", isOpen);
  });
  form.addEventListener("change", count);
}
