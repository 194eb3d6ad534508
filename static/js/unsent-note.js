// In the head of every page: how many photos of this person and clinic wait on this device to be sent.
import { countKept, ownerOf, whenChanged } from "./kept-photos.js";

const note = document.getElementById("unsent-note");
const { person, clinic } = document.documentElement.dataset;

async function count() {
  const { mine } = await countKept(ownerOf(person, clinic));
  note.hidden = mine === 0;
  note.querySelector("[data-text]").textContent = note.dataset[mine === 1 ? "one" : "many"].replace("{count}", mine);
  const signOut = document.querySelector("form[data-sign-out]");
  if (mine) Object.assign(signOut.dataset, { confirm: note.dataset.signOut, confirmLabel: note.dataset.signOutLabel });
  else delete signOut.dataset.confirm;
}

if (note) {
  const look = () => count().catch(() => null);
  whenChanged(look);
  window.addEventListener("pageshow", look);
  document.addEventListener("visibilitychange", () => document.hidden || look());
}
