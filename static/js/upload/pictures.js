// Photos that were covered from a card, and further lesions in them: the cards follow.
import { toast } from "../toast.js";
import { cardElement, watchSoon } from "./stored-card.js";

const cover = document.getElementById("cover-dialog");

/** Put the card of another lesion behind that of the photo it was found in. */
export function addAfter(pk, html) {
  const card = document.querySelector(`.upload-card[data-photo="${pk}"]`);
  const fresh = cardElement(html);
  card?.after(fresh);
  fresh.querySelector("[data-action]")?.focus();
}

cover.addEventListener("cover:saved", (event) => {
  event.preventDefault();
  cover.close();
  const { cards, done, state } = event.detail;
  for (const { id, html } of cards) {
    for (const card of document.querySelectorAll(`.upload-card[data-photo="${id}"]`)) {
      const fresh = cardElement(html);
      // The address is as before; the browser must not show the picture it has.
      const picture = fresh.querySelector("img");
      picture.src = `${picture.getAttribute("src")}?state=${state}`;
      card.replaceWith(fresh);
    }
  }
  toast(done, { kind: "success" });
  document.dispatchEvent(new CustomEvent("cards:changed"));
  watchSoon();
});
