// What was chosen but not confirmed, and for how long the photo was looked at, survive a reload on this device.

const PREFIX = "skinclinic-reading-draft";

/** Remember `draft` ({position, seconds, and what is said}) of the session that is called `name` here. */
export function keepDraft(name, draft) {
  try {
    localStorage.setItem(`${PREFIX} ${name}`, JSON.stringify(draft));
  } catch {
    // Nothing to do: it holds as long as the page is open.
  }
}

/** Take the draft of the session `name`, if it is of the photo at `position`. */
export function takeDraft(name, position) {
  try {
    const draft = JSON.parse(localStorage.getItem(`${PREFIX} ${name}`));
    localStorage.removeItem(`${PREFIX} ${name}`);
    return draft?.position === position ? draft : null;
  } catch {
    return null;
  }
}
