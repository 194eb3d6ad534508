// Keyboard commands by the place of a key (event.code), so Korean layouts and input methods work.

const KEY = "skinclinic-keys";
const bindings = new Map();

/**
 * Whether single-key commands are on; a person can switch them off in the keyboard panel. Where the server keeps
 * the choice, <html data-keys="on|off"> says it, and "keys:switch" tells the page of a change.
 */
export function keysEnabled() {
  const { keys } = document.documentElement.dataset;
  if (keys) return keys === "on";
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** Whether the person is typing, so that a key is text. */
export function isTyping(event) {
  const target = event.target;
  if (event.isComposing || event.keyCode === 229) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input") && !target.matches("[type=checkbox], [type=radio], [type=range], [type=button], [type=submit]");
}

/**
 * Run `run(event)` when the key at `code` ("KeyU", "Digit1", "BracketLeft" …) is pressed alone. Returns a
 * function that takes the binding away. `repeat: true` also runs while the key is held.
 */
export function bindKey(code, run, { shift = false, repeat = false } = {}) {
  const name = shift ? `Shift+${code}` : code;
  bindings.set(name, { run, repeat });
  return () => bindings.get(name)?.run === run && bindings.delete(name);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event) || document.querySelector("dialog[open]")) return;
  // "?" lies elsewhere on some layouts, and people look for the sign, not for the place.
  const name = event.key === "?" ? "Shift+Slash" : event.shiftKey ? `Shift+${event.code}` : event.code;
  const binding = bindings.get(name);
  if (!binding || (event.repeat && !binding.repeat) || !keysEnabled()) return;
  event.preventDefault();
  binding.run(event);
});

function setUpPanel() {
  const panel = document.getElementById("keyboard-help");
  if (!panel) return;
  const open = () => panel.showModal();
  bindKey("Slash", open, { shift: true });
  for (const button of document.querySelectorAll("[data-open-keyboard-help]")) button.addEventListener("click", open);
  const toggle = panel.querySelector("[data-keys-toggle]");
  toggle.checked = keysEnabled();
  toggle.addEventListener("change", () => {
    if (document.documentElement.dataset.keys) {
      document.documentElement.dataset.keys = toggle.checked ? "on" : "off";
      document.dispatchEvent(new CustomEvent("keys:switch", { detail: { on: toggle.checked } }));
      return;
    }
    try {
      localStorage.setItem(KEY, toggle.checked ? "on" : "off");
    } catch {
      toggle.checked = true;
    }
  });
}

setUpPanel();
