// The upload page: every file becomes a card that sends itself and then follows its analysis.
import { announce } from "../toast.js";
import "./crop-dialog.js";
import { listenForFiles } from "./intake.js";
import { LocalCard } from "./local-card.js";
import { showSelection } from "./selection.js";
import { isSending } from "./sender.js";
import { cardElement, watchSoon } from "./stored-card.js";
import { say } from "./words.js";

const form = document.getElementById("upload-form");
const sent = document.getElementById("sent");
const section = document.getElementById("sent-section");
const local = new Set();
let taken = 0;
let lastSummary = "";

function take(files) {
  if (files.length) form.classList.remove("upload-drop-first");
  for (const file of files) {
    const card = new LocalCard(file, { form, list: sent, onStored, onChange });
    local.add(card);
    taken += 1;
    card.send();
  }
}

function onStored(card, data) {
  const stored = cardElement(data.html);
  const picture = stored.querySelector("img");
  if (card.find("img").hidden) {
    card.forgetPreview();
  } else {
    showInPlaceOf(picture, card);
  }
  const hadFocus = card.element.contains(document.activeElement);
  card.element.replaceWith(stored);
  local.delete(card);
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
    taken -= 1;
  }
  if (words) announce(`${card.name}: ${words}`);
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
  section.querySelector("[data-retry-all]").hidden = [...local].filter((card) => card.mayRetry).length < 2;
  showSelection();
  const isOver = cards.length && !pending && stored.every((card) => card.hasAttribute("data-finished"));
  if (isOver && text !== lastSummary) announce(text);
  lastSummary = text;
}

function summary(stored, pending) {
  const done = stored.filter((card) => card.dataset.state === "done").length;
  const problems = [...local].filter((card) => ["refused", "not_sent"].includes(card.state)).length;
  const parts = [];
  if (pending) parts.push(say("sending", { sent: taken - pending, total: taken }));
  if (stored.length && done === stored.length && !pending) parts.push(say("allDone", { total: done }));
  else if (done) parts.push(say("analysing", { done, total: stored.length }));
  else if (stored.length) parts.push(say("waiting", { total: stored.length }));
  if (problems) parts.push(say("problems", { problems }));
  return parts.join(" · ");
}

function retryAll(which = () => true) {
  for (const card of local) if (card.mayRetry && which(card)) card.send();
}

listenForFiles(take);
document.addEventListener("cards:changed", summarise);
section.querySelector("[data-retry-all]").addEventListener("click", () => retryAll());
window.addEventListener("online", () => retryAll((card) => card.code === "NetworkError"));
window.addEventListener("beforeunload", (event) => {
  if (isSending()) event.preventDefault();
});
watchSoon();
