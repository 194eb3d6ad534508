// The upload page: every file becomes a card that sends itself and then follows its analysis.
import { countKept, hold, keptBy, ownerOf, whenChanged } from "../kept-photos.js";
import { newKey } from "../random-key.js";
import { announce, toast } from "../toast.js";
import { Again } from "./again.js";
import "./crop-dialog.js";
import { destination, isShownHere } from "./destination.js";
import "./filing-panel.js";
import { listenForFiles } from "./intake.js";
import { askBeforeLeaving } from "./leaving.js";
import { LocalCard } from "./local-card.js";
import { showSelection } from "./selection.js";
import { cardElement, note, watchSoon } from "./stored-card.js";
import { say } from "./words.js";

const form = document.getElementById("upload-form");
const sent = document.getElementById("sent");
const section = document.getElementById("sent-section");
const earlier = document.getElementById("earlier-section");
const mayHold = form.querySelector("[data-hold]");
const owner = ownerOf(document.documentElement.dataset.person, form.dataset.clinic);
const local = new Set();
const again = new Again({
  run: () => sendAll((card) => !card.needsPerson),
  tick: (seconds) => local.forEach((card) => card.tick(seconds)),
});
let taken = 0;
let lastSummary = "";

function take(files) {
  if (!files.length) return;
  const where = destination(form);
  if (!where) {
    document.dispatchEvent(new CustomEvent("place:missing"));
    return toast(say("placeFirst"), { kind: "warning" });
  }
  document.dispatchEvent(new CustomEvent("photos:taken"));
  form.classList.remove("upload-drop-first");
  if (mayHold.querySelector("input").checked) return holdToCover(files, where);
  const cards = files.map((file) => open(chosen(file, where), sent));
  for (const card of cards) card.isSentHere = true;
  taken += cards.length;
  for (const card of cards) card.begin();
  cards[0].element.scrollIntoView({ block: "nearest" });
  // Otherwise the browser may clear what is kept when the device runs full.
  navigator.storage?.persist?.().catch(() => null);
}

/** They stand among those not sent yet, to be covered first. */
function holdToCover(files, where) {
  const cards = files.map((file) => open(chosen(file, where), earlier.querySelector("ul")));
  for (const card of cards) card.waitForCover();
  earlier.scrollIntoView({ block: "nearest" });
  cards[0].find("[data-cover-local]").focus();
}

function chosen(file, where) {
  return { key: newKey(), owner, file, name: file.name, kind: form.elements.kind.value, ...where, chosenAt: Date.now() };
}

function open(photo, list) {
  hold(photo.key).catch(() => null);
  const card = new LocalCard(photo, { form, list, onStored, onChange });
  local.add(card);
  return card;
}

/** Offer what an earlier visit could not send, and say how many photos of others wait on this device. */
async function offerEarlier() {
  const isOpen = ({ key }) => [...local].some((card) => card.photo.key === key);
  const mine = await keptBy(owner);
  for (const photo of mine) {
    if (!isShownHere(form, photo) || isOpen(photo) || !(await hold(photo.key)) || isOpen(photo)) continue;
    const card = open(photo, earlier.querySelector("ul"));
    card.offer();
    // Taken a moment ago on the patient's page.
    if (photo.isOnItsWay) card.send();
  }
  const { others } = await countKept(owner);
  tell("kept-by-others", others, "others");
  tell("kept-elsewhere", mine.filter((photo) => !isShownHere(form, photo)).length, "elsewhere");
}

function tell(id, count, words) {
  const notice = document.getElementById(id);
  notice.hidden = count === 0;
  notice.querySelector("[data-text]").textContent = say(words, { count });
}

function onStored(card, data) {
  const stored = cardElement(data.html);
  if (card.photo.takenFor && !data.patient) note(stored, card.photo.takenFor);
  const picture = stored.querySelector("img");
  if (card.find("img").hidden) {
    card.forgetPreview();
  } else {
    showInPlaceOf(picture, card);
  }
  const hadFocus = card.element.contains(document.activeElement);
  card.element.replaceWith(stored);
  local.delete(card);
  again.worked();
  if (hadFocus) stored.querySelector("[data-action]")?.focus();
  // The same photo may also stand among those not filed yet, after a retry.
  for (const copy of document.querySelectorAll(`#not-filed [data-photo="${data.id}"]`)) copy.remove();
  watchSoon();
  summarise();
}

/** Keep the preview in the stored card until the server's thumbnail has come, so that nothing flickers. */
function showInPlaceOf(picture, card) {
  const address = picture.src;
  const thumbnail = new Image();
  thumbnail.addEventListener("load", () => {
    picture.src = address;
    card.forgetPreview();
  });
  picture.src = card.preview;
  thumbnail.src = address;
}

function onChange(card, words) {
  if (card.state === "removed") {
    local.delete(card);
    if (card.isSentHere) taken -= 1;
  }
  if (card.state === "not_sent" && !card.needsPerson) again.failed(card.waitAtLeast);
  if (card.state === "waiting" && !card.isSentHere) {
    sent.append(card.element);
    card.isSentHere = true;
    taken += 1;
  }
  // Said once, not with every try.
  if (words && words !== card.said && card.state !== "kept") announce(`${card.name}: ${words}`);
  card.said = words || card.said;
  summarise();
}

function summarise() {
  const cards = [...sent.children];
  const stored = cards.filter((card) => card.dataset.photo);
  const pending = [...local].filter((card) => card.isPending).length;
  const text = summary(stored, pending);
  section.hidden = cards.length === 0;
  const tips = document.getElementById("upload-tips");
  if (tips) tips.hidden = cards.length > 0;
  section.querySelector("[data-summary]").textContent = cards.length > 1 ? text : "";
  const ofState = (state) => [...local].filter((card) => card.state === state).length;
  section.querySelector("[data-retry-all]").hidden = ofState("not_sent") < 2;
  earlier.hidden = ofState("kept") === 0;
  if (!ofState("not_sent")) again.rest();
  showSelection();
  const isOver = cards.length && !pending && stored.every((card) => card.hasAttribute("data-finished"));
  if (isOver && text !== lastSummary) announce(text);
  lastSummary = text;
}

function summary(stored, pending) {
  const done = stored.filter((card) => card.dataset.state === "done").length;
  const refused = [...local].filter((card) => card.state === "refused").length;
  const unsent = [...local].filter((card) => card.state === "not_sent").length;
  const parts = [];
  if (pending) parts.push(say("sending", { sent: taken - pending, total: taken }));
  if (stored.length && done === stored.length && !pending) parts.push(say(done === 1 ? "oneDone" : "allDone", { total: done }));
  else if (done) parts.push(say("analysing", { done, total: stored.length }));
  else if (stored.length) parts.push(say("waiting", { total: stored.length }));
  if (refused) parts.push(say("refused", { refused }));
  if (unsent) parts.push(say("unsent", { unsent }));
  return parts.join(" · ");
}

function sendAll(which, state = "not_sent") {
  for (const card of local) if (card.state === state && which(card)) card.send();
}

mayHold.hidden = false;
listenForFiles(take);
document.addEventListener("cards:changed", summarise);
section.querySelector("[data-retry-all]").addEventListener("click", () => sendAll(() => true));
earlier.querySelector("[data-send-all]").addEventListener("click", () => sendAll(() => true, "kept"));
askBeforeLeaving(() => [...local].filter((card) => card.isPending || card.mayRetry));
const offer = () => offerEarlier().catch(() => null);
whenChanged(offer);
document.addEventListener("visibilitychange", () => document.hidden || offer());
offer();
watchSoon();
