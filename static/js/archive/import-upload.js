// The new import: the upload with its progress; without this the form is sent plainly.
import { pageHeaders } from "../page-headers.js";
import { bytes, duration } from "./quantities.js";

const form = document.getElementById("import-form");
const panel = document.getElementById("import-upload");
const problem = document.getElementById("import-upload-problem");
const words = panel.querySelector("[data-words]");
const bar = panel.querySelector("progress");
let running = null;

// A format without a table shows no field for one.
function fitFormat() {
  const format = form.elements.format;
  const without = format.dataset.withoutTable.split(" ").includes(format.value);
  form.querySelector("[data-table]").hidden = without;
  form.elements.table.disabled = without;
  form.querySelector("[data-level]").hidden = !without;
  const isJoined = format.dataset.withSecond.split(" ").includes(format.value);
  form.querySelector("[data-second]").hidden = !isJoined;
  form.elements.second.disabled = !isJoined;
}

form.addEventListener("change", (event) => event.target.name === "format" && fitFormat());
fitFormat();

form.addEventListener("submit", (event) => {
  event.preventDefault();
  upload();
});

function show(isUploading) {
  panel.hidden = !isUploading;
  form.hidden = isUploading;
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

function fail(text) {
  show(false);
  problem.querySelector("p").textContent = text;
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
}

function upload() {
  const request = new XMLHttpRequest();
  const begun = performance.now();
  running = request;
  problem.hidden = true;
  bar.value = 0;
  words.textContent = "";
  panel.querySelector("[data-name]").textContent = form.elements.archive.files[0]?.name ?? "";
  request.upload.addEventListener("progress", ({ loaded, total }) => tell(loaded, total, performance.now() - begun));
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    words.textContent = panel.dataset.storing;
  });
  request.addEventListener("load", () => answer(request));
  request.addEventListener("error", () => stop(panel.dataset.broken));
  request.addEventListener("abort", () => stop(""));
  request.open("POST", form.action);
  for (const [name, value] of Object.entries(pageHeaders())) request.setRequestHeader(name, value);
  request.send(new FormData(form));
  show(true);
  panel.querySelector("[data-cancel]").focus();
}

function tell(sent, total, milliseconds) {
  bar.value = (100 * sent) / total;
  const parts = [panel.dataset.sent.replace("{sent}", bytes(sent)).replace("{total}", bytes(total))];
  if (milliseconds > 3000 && sent < total) {
    const seconds = ((milliseconds / 1000) * (total - sent)) / sent;
    parts.push(panel.dataset.left.replace("{time}", duration(seconds)));
  }
  words.textContent = parts.join(" · ");
}

function stop(text) {
  running = null;
  if (text) fail(text);
  else show(false);
}

function answer(request) {
  running = null;
  if (request.status === 200 && request.responseURL && new URL(request.responseURL).pathname !== new URL(form.action).pathname) {
    window.location.assign(request.responseURL);
  } else if (request.status === 422) {
    redraw(request.responseText);
  } else {
    fail(request.status === 413 ? panel.dataset.large : panel.dataset.failed);
  }
}

/** The form with its errors; the files chosen stay chosen. */
function redraw(page) {
  const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("import-form");
  for (const name of ["archive", "table", "second"]) {
    const field = fresh.querySelector(`[name=${name}]`);
    const kept = form.elements[name];
    for (const mark of ["aria-invalid", "aria-describedby"]) {
      if (field.hasAttribute(mark)) kept.setAttribute(mark, field.getAttribute(mark));
      else kept.removeAttribute(mark);
    }
    field.replaceWith(kept);
  }
  form.replaceChildren(...fresh.childNodes);
  show(false);
  fitFormat();
  form.querySelector("[aria-invalid=true]")?.focus();
}

panel.querySelector("[data-cancel]").addEventListener("click", () => running?.abort());

window.addEventListener("beforeunload", (event) => {
  if (running) event.preventDefault();
});
