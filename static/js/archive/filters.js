// The filter bar: short addresses, a chosen label is searched at once, parts that fold away on a phone.

const form = document.querySelector(".archive-filters");

// Empty fields would only lengthen the address.
form?.addEventListener("formdata", ({ formData }) => {
  if (formData.get("label")) formData.delete("label_typed");
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});

form?.addEventListener("typeahead:choose", () => form.requestSubmit());

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-fold]");
  if (!button) return;
  const isOpen = document.getElementById(button.dataset.fold).classList.toggle("is-open");
  button.setAttribute("aria-expanded", String(isOpen));
});
