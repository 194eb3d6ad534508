// Short messages at the corner, and words for screen readers.
import { icon } from "./icon.js";

const ICONS = { success: "check2-circle", error: "exclamation-octagon", warning: "exclamation-triangle", info: "info-circle" };

/** Say `text` to screen readers without showing it. */
export function announce(text) {
  const region = document.getElementById("announcer");
  region.textContent = "";
  // A region that is emptied and filled in one turn is not read again for the same words.
  setTimeout(() => (region.textContent = text), 50);
}

/**
 * Show a toast and announce it. `kind`: success, error, warning or info. `action`: {label, run}, for
 * Undo. `seconds`: 0 keeps it until closed. Returns a function that closes it.
 */
export function toast(text, { kind = "info", action = null, seconds = 6 } = {}) {
  const host = document.getElementById("toasts");
  const box = document.createElement("div");
  box.className = `app-toast app-toast-${kind}`;
  const words = document.createElement("div");
  words.className = "app-toast-text";
  words.textContent = text;
  box.append(icon(ICONS[kind] ?? ICONS.info), words);

  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    box.remove();
  };
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-bare btn-sm";
    button.textContent = action.label;
    button.addEventListener("click", () => (close(), action.run()));
    box.append(button);
  }
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "btn btn-bare btn-sm btn-icon";
  dismiss.setAttribute("aria-label", host.dataset.close);
  dismiss.append(icon("x-lg"));
  dismiss.addEventListener("click", close);
  box.append(dismiss);

  const start = () => seconds && (timer = setTimeout(close, seconds * 1000));
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("pointerleave", start);
  box.addEventListener("focusin", () => clearTimeout(timer));
  box.addEventListener("focusout", start);
  host.append(box);
  start();
  announce(text);
  return close;
}
