// Keys that also belong to buttons, links and fields (Space, Enter, arrows): taken only when none of these is in use.
import { isTyping, keysEnabled } from "../keys.js";

const FIELDS = "input, select, textarea, [role=option], [role=combobox]";
const BUTTONS = "a, button, summary";

// A button that was clicked keeps the focus; Space then still means the photo, not the button again.
let isFocusByPointer = false;
document.addEventListener("pointerdown", () => (isFocusByPointer = true), true);
document.addEventListener("keydown", (event) => event.code === "Tab" && (isFocusByPointer = false), true);

function isFree(event, overClicked, shift) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey !== shift || event.defaultPrevented) return false;
  if (!keysEnabled() || isTyping(event) || document.querySelector("dialog[open]")) return false;
  if (event.target.closest?.(FIELDS)) return false;
  return !event.target.closest?.(BUTTONS) || (overClicked && isFocusByPointer);
}

/**
 * Run `down(event)` when the key is pressed on no control; `up()` when it is let go, wherever the focus is then.
 * `overClicked`: also on a button that has the focus only because it was clicked; `shift`: with the Shift key.
 */
export function bindFreeKey(code, down, { up = null, repeat = false, overClicked = false, shift = false } = {}) {
  let held = false;
  document.addEventListener("keydown", (event) => {
    if (event.code !== code || !isFree(event, overClicked, shift)) return;
    event.preventDefault();
    if (event.repeat && !repeat) return;
    held = true;
    down(event);
  });
  const release = (event) => {
    if (!held) return;
    held = false;
    event.preventDefault();
    up?.();
  };
  document.addEventListener("keyup", (event) => event.code === code && release(event));
  window.addEventListener("blur", release);
}
