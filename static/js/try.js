// The try page: the photo is sent as soon as it is chosen.
const form = document.querySelector("[data-try-form]");
const field = form.querySelector("input[type=file]");
const send = form.querySelector("[data-try-send]");

send.hidden = true;
field.addEventListener("change", () => {
  if (!field.files.length) return;
  form.querySelector("[data-try-chosen]").textContent = `${form.dataset.sending} ${field.files[0].name}`;
  form.requestSubmit();
});
