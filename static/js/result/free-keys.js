// Keys that also belong to buttons, links and fields (Space, Enter, arrows): taken only when none has the focus.
import { isTyping, keysEnabled } from "../keys.js";

const CONTROLS = "a, button, input, select, textarea, summary, [role=option], [role=combobox]";

function isFree(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return false;
  if (!keysEnabled() || isTyping(event) || document.querySelector("dialog[open]")) return false;
  return !event.target.closest?.(CONTROLS);
}

/** Run `down(event)` when the key is pressed on no control; `up()` when it is let go, wherever the focus is then. */
export function bindFreeKey(code, down, { up = null, repeat = false } = {}) {
  let held = false;
  document.addEventListener("keydown", (event) => {
    if (event.code !== code || !isFree(event)) return;
    event.preventDefault();
    if (event.repeat && !repeat) return;
    held = true;
    down(event);
  });
  if (!up) return;
  const release = () => {
    if (held) up();
    held = false;
  };
  document.addEventListener("keyup", (event) => event.code === code && release());
  window.addEventListener("blur", release);
}
