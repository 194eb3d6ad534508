// What is asked of a file before anybody else sees it.

/** Whether the browser can still read it: it may have been moved or changed since it was chosen. */
export async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Its name as text to show: composed letters, no control or direction marks. */
export function shown(name) {
  return name.normalize("NFC").replace(/[\p{Cc}\p{Cf}]/gu, "");
}
