// A form that is fetched when its dialog is asked for.
import { send } from "./http.js";

/**
 * Fetch the form at `address` for a dialog. Null where it did not come; false where the dialog is open by now: asked for
 * twice before the answer came, what stands in it may hold what was done in it. Else its content.
 */
export async function fetchForm(address, dialog) {
  const response = await send(address, { headers: { Accept: "text/fragment" } }).catch(() => null);
  if (!response?.ok) return null;
  const content = contentOf(await response.text());
  return dialog.open ? false : content;
}

/** The elements of HTML that this server has sent; nothing of it runs. */
export function contentOf(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}
