// What was chosen but not confirmed, and for how long the photo was looked at, survive a reload on this device.

const PREFIX = "skinclinic-reading-draft";

/** Remember `draft` ({position, seconds, and what is said}) of the session at `base`. */
export function keepDraft(base, draft) {
  try {
    localStorage.setItem(`${PREFIX} ${base}`, JSON.stringify(draft));
  } catch {
    // Nothing to do: it holds as long as the page is open.
  }
}

/** Take the draft of the session at `base`, if it is of the photo at `position`. */
export function takeDraft(base, position) {
  try {
    const draft = JSON.parse(localStorage.getItem(`${PREFIX} ${base}`));
    localStorage.removeItem(`${PREFIX} ${base}`);
    return draft?.position === position ? draft : null;
  } catch {
    return null;
  }
}
