// Since when nobody has touched this page. Opening it is a touch; what scripts do is none.

let touchedAt = Date.now();

for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "input"]) {
  document.addEventListener(name, (event) => event.isTrusted && (touchedAt = Date.now()), { capture: true, passive: true });
}

/** Whole seconds since somebody touched this page. */
export function idleSeconds() {
  return Math.max(0, Math.round((Date.now() - touchedAt) / 1000));
}
