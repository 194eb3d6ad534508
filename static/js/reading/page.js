// The reading page: one photo after the other without a reload.
import { bindKey } from "../keys.js";
import { grouped } from "../numbers.js";
import { bindFreeKey } from "../result/free-keys.js";
import { Viewer, WAYS } from "../result/viewer.js";
import { setSaveState } from "../save-state.js";
import { announce } from "../toast.js";
import { ANSWER_CODES, AnswerForm } from "./answer-form.js";
import { Answers } from "./answers.js";
import { Clock } from "./clock.js";
import { askWhich } from "./conflict.js";
import { deviceNow } from "./device.js";
import { keepDraft, takeDraft } from "./draft.js";
import { keptName, renameKept } from "./kept.js";
import { ModelAnswer } from "./model.js";
import { AHEAD, PhotoRefused, Photos } from "./photos.js";
import { Practice } from "./practice.js";
import { Queue } from "./queue.js";
import { listAnswers } from "./review.js";
import { OUT_OF_TIME, inWords, isSame, saidIn } from "./said.js";
import { Sight } from "./sight.js";

// Where nobody may go back, an answer can be taken back for so long.
const UNDO_MS = 10_000;
const AGAIN_MS = 2000;
const OPACITY_STEP = 5;

const root = document.getElementById("reading");
const { base, home, kept: who } = root.dataset;
renameKept(home, who);
const isPractice = root.dataset.practice === "yes";
const isAided = root.dataset.aided === "yes";
const mayGoBack = isPractice || root.dataset.mayGoBack === "yes";
const part = `${base}${isPractice ? "practice" : "photo"}/`;
const find = (name) => document.querySelector(`[data-${name}]`);

const state = JSON.parse(document.getElementById("reading-state").textContent);
const answers = new Answers(state);
const photos = new Photos((position) => part + position, answers.total);
const viewer = new Viewer(document.getElementById("viewer"));
const model = new ModelAnswer(viewer, find("model"), { first: find("model-first"), last: find("model-last") });
const sight = new Sight();
const practice = isPractice ? new Practice(root, part) : null;
const formElement = document.getElementById("answer-form");
const form = new AnswerForm(formElement, () => settle());
const confirmButton = find("confirm-answer");
const clock = new Clock({
  after: state.after,
  limit: state.limit,
  sight,
  line: find("clock"),
  onOpen: () => settle(),
  onOver: () => runOut(),
});

// The photo in work; "model": its own answer is given and the model's is or will be shown.
let position = 0;
let isShown = false;
let phase = "answer";
let undoable = null;
let undoTimer = 0;
let hasEnded = false;
let isFailing = false;
// Whether the photo was opened from the list of all answers, to which one then comes back.
let isReviewed = false;
// The last photo that the server gives, as far as it knows how far one has come.
let reach = isPractice ? answers.total : answers.next + AHEAD;

const words = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => grouped(values[name]));
const saying = (name) => root.dataset[name];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function describe(row) {
  return inWords(row, {
    name: (key) => form.name(key), none: saying("sayNone"), known: saying("sayKnown"), sure: saying("saySure"),
  });
}

/* Where one is */

function showPlace() {
  const isEnd = position > answers.total;
  find("place").textContent = isEnd ? "" : words(saying("sayPhoto"), { n: position, total: answers.total });
  const bar = find("progress");
  bar.max = Math.max(1, answers.total);
  bar.value = answers.given;
  showTimeLeft();
  const back = find("go=back");
  if (back) back.disabled = position <= 1;
  const forward = find("go=forward");
  if (forward) forward.disabled = position >= Math.min(answers.next, answers.total) && !answers.isComplete;
}

function showTimeLeft() {
  const seconds = answers.secondsLeft;
  const minutes = seconds === null ? 0 : Math.round(seconds / 60);
  let text = "";
  if (seconds !== null && answers.next <= answers.total && !isPractice) {
    if (minutes >= 90) text = words(saying("sayHours"), { n: (minutes / 60).toFixed(1) });
    else text = minutes < 1 ? saying("sayMinute") : words(saying("sayMinutes"), { n: minutes });
  }
  find("left").textContent = text;
}

/** Whether what is chosen can be confirmed, and what that would do. */
function settle() {
  const given = form.value;
  const row = answers.at(position);
  const isUnchanged = isSame(row, given);
  const ready = isShown && !hasEnded && position <= answers.total && (phase !== "model" || model.isReady);
  const { open } = form;
  form.isEnabled = clock.isOpen;
  confirmButton.disabled = !ready || !clock.isOpen || open.length > 0;
  let word = "sayConfirm";
  if (phase === "model" && given.choice === row?.first) word = "sayKeep";
  else if ((phase === "model" || row?.choice) && !isUnchanged) word = "sayChange";
  find("confirm-word").textContent = saying(word);
  const lacking = given.choice && ready ? open.map((name) => saying(`open_${name}`)).join(", ") : "";
  find("open").textContent = lacking && words(saying("sayOpen"), { what: lacking });
  return isUnchanged;
}

async function go(to) {
  let target = Math.min(Math.max(1, to), answers.isComplete ? answers.total + 1 : answers.next);
  while (answers.isGone(target)) target += to < position ? -1 : 1;
  if (target < 1) return;
  if (target > answers.total) return showEnd();
  root.classList.remove("is-ended");
  find("end").hidden = true;
  formElement.hidden = false;
  sight.show(null);
  clock.stop();
  position = target;
  isShown = false;
  const row = answers.at(position);
  phase = isAided && row?.first ? "model" : "answer";
  model.hide();
  model.isReady = false;
  const draft = takeDraft(keptName(base, home, who), position);
  if (draft) sight.add(position, draft.seconds);
  form.fill(row?.choice ? row : { ...draft, choice: draft?.choice || (phase === "model" && row.first) || "" });
  window.scrollTo(0, 0);
  formElement.closest(".reading-panel").scrollTop = 0;
  showFirst(row);
  find("facts").textContent = answers.facts[position] ?? "";
  showPlace();
  await showPhoto(target);
  if (position === target && isShown) clock.start(target, { again: phase === "model" });
  settle();
  if (position === target && phase === "model") await showModel(target);
}

function showFirst(row) {
  const line = find("first");
  line.hidden = phase !== "model";
  root.classList.toggle("is-model", phase === "model");
  if (phase === "model") line.textContent = words(saying("sayFirst"), { answer: form.name(row.first) });
}

/** Show the photo of `target`, trying again until it is there or another is wanted. */
async function showPhoto(target) {
  const slow = setTimeout(() => isWaiting(saying("sayWaiting")), 150);
  viewer.photo.hidden = true;
  while (position === target) {
    try {
      if (target > reach) throw new Error("its turn comes when the answers before are saved");
      const { width, height, showIn } = await photos.get(target);
      if (position !== target) break;
      await showIn(viewer.photo);
      if (position !== target) break;
      viewer.photo.hidden = false;
      viewer.showsAnother(width, height);
      isWaiting("");
      isShown = true;
      sight.show(target);
      settle();
      photos.keepAround(target, reach);
      break;
    } catch (problem) {
      if (position !== target) break;
      if (problem.code === "photo_gone") {
        clearTimeout(slow);
        await lose([target]);
        return tell(problem.message);
      }
      if (target > reach && !isFailing) {
        await wait(50);
        continue;
      }
      clearTimeout(slow);
      isWaiting(problem instanceof PhotoRefused && problem.code !== "not_yet" ? problem.message : saying("sayFailed"));
      await wait(target > reach ? 100 : AGAIN_MS);
    }
  }
  clearTimeout(slow);
}

function isWaiting(text) {
  find("waiting").textContent = text;
  find("waiting").hidden = !text;
}

/** Show the model's answer to the photo at `target`, as soon as the server has the reader's own. */
async function showModel(target) {
  const isWanted = () => position === target && phase === "model" && !hasEnded;
  while (isWanted()) {
    try {
      if (!queue.waitsFor(target)) {
        await model.show(`${part}${target}/model`);
        if (!isWanted()) return;
        model.isReady = true;
        tell("");
        clock.start(target, { again: true });
        settle();
        return;
      }
    } catch {
      if (isWanted()) tell(saying("sayModelFailed"));
      await wait(AGAIN_MS);
    }
    await wait(50);
  }
}

/* Answering */

/** The time of the photo is over: what was not confirmed by then was not answered. */
function runOut() {
  if (!isShown || hasEnded || position > answers.total) return;
  answer({ ...saidIn(null), choice: OUT_OF_TIME, knows_patient: form.value.knows_patient }, false);
  // Where practice tells what each photo shows, that says it.
  if (!practice?.checks) tell(saying("sayRanOut"));
}

function confirm() {
  const isUnchanged = settle();
  if (!confirmButton.disabled) answer(form.value, isUnchanged);
}

function answer(given, isUnchanged) {
  const target = position;
  const seconds = sight.seconds(target);
  if (document.activeElement?.closest("#answer-form")) find("place").focus({ preventScroll: true });
  tell("");
  if (isAided && phase === "answer") {
    store(target, { ...given, seconds, first: true });
    phase = "model";
    forgetUndo();
    clock.stop();
    showFirst(answers.at(target));
    settle();
    window.scrollTo(0, 0);
    formElement.closest(".reading-panel").scrollTop = 0;
    announce(saying("sayFirst").replace("{answer}", form.name(given.choice)));
    showModel(target);
    return;
  }
  const goOn = () => {
    if (!isUnchanged) {
      const before = answers.at(target);
      const seen = model.wasSeen === null ? {} : { saw_model: model.wasSeen };
      store(target, { ...given, seconds, ...seen });
      answers.noteTime(seconds);
      if (given.choice === OUT_OF_TIME) forgetUndo();
      else offerUndo(target, before, given);
    }
    go(isReviewed ? answers.total + 1 : target + 1);
    announce(
      `${words(saying("sayAnswered"), { n: target, answer: form.name(given.choice) })}. ${find("place").textContent}`,
    );
  };
  if (!practice) return goOn();
  // While it is asked what the photo shows, and told, no time runs.
  clock.stop();
  practice.meet(target, given, form.name(given.choice), goOn, () => clock.start(target, { again: true }));
}

/** Keep a change to the answer at `target` and send it; practice keeps nothing. */
function store(target, change) {
  const body = { known: answers.number(target), ...change, ...deviceNow() };
  answers.putGiven(target, body);
  queue.add(target, body);
}

function offerUndo(target, before, given) {
  if (isPractice) return;
  clearTimeout(undoTimer);
  undoable = { target, before };
  find("undo").hidden = false;
  find("undo-text").textContent = words(saying("sayAnswered"), { n: target, answer: form.name(given.choice) });
  if (!mayGoBack) undoTimer = setTimeout(forgetUndo, UNDO_MS);
}

function forgetUndo() {
  clearTimeout(undoTimer);
  undoable = null;
  find("undo").hidden = true;
}

function undo() {
  if (!undoable || hasEnded) return;
  const { target, before } = undoable;
  forgetUndo();
  const taken = answers.at(target);
  const said = saidIn(before);
  const { choice } = said;
  store(target, { ...said, seconds: sight.seconds(target), undo: true });
  if (!choice) reach = Math.min(reach, target + AHEAD);
  go(target);
  // What was taken back is still chosen, so that a slip of the finger needs one key more.
  form.fill(choice ? answers.at(target) : taken);
  announce(words(saying("sayUndone"), { n: target }));
}

/* What the server says */

function onTaken(item, taken) {
  const { position: target, body } = item;
  const isLatest = !queue.waitsFor(target);
  if (taken.in_force) {
    if (isLatest) answers.put(target, taken.answer);
  } else {
    answers.put(target, taken.answer);
    meetOther(target, body, taken.answer);
  }
  lose(taken.gone ?? []);
  reach = taken.next + AHEAD;
  if (isShown) photos.keepAround(position, reach);
  showPlace();
  if (taken.finished) leaveWhenEmpty();
}

/** Photos were taken out of the study: they are neither shown nor asked about any more. */
async function lose(places) {
  for (const place of places) {
    answers.gone.add(place);
    photos.drop(place);
  }
  if (places.includes(position)) await go(position + 1);
}

async function meetOther(target, mine, theirs) {
  await readAgain();
  if (mine.first) {
    if (theirs.first !== mine.choice) tell(words(saying("sayStands"), { n: target }));
    return go(answers.next);
  }
  if (isSame(theirs, mine) || mine.undo) return go(answers.next);
  if (!mayGoBack) {
    tell(words(saying("sayFinal"), { n: target }));
    return go(answers.next);
  }
  forgetUndo();
  if ((await askWhich(target, describe(theirs), describe(mine), photos.get(target))) === "mine") {
    store(target, { ...saidIn(mine), seconds: mine.seconds });
  }
  go(answers.next);
}

/** Take over what other windows and devices have done meanwhile. */
async function readAgain() {
  try {
    const answer = await fetch(`${base}state`, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) return;
    const { answers: rows, gone } = await answer.json();
    await lose(gone);
    for (const [place, row] of Object.entries(rows)) {
      if (!queue.waitsFor(Number(place))) answers.put(Number(place), row);
    }
  } catch {
    // Without a connection it stays as it is known here.
  }
}

async function onRefused(item, error) {
  await readAgain();
  if (item.position === position || item.position === position - 1) await go(answers.next);
  tell(error.message);
}

function onEnd(error, waiting) {
  hasEnded = true;
  find("refused-text").textContent = error.message;
  const text = saying(error.final ? "sayNotTaken" : "sayKept");
  find("refused-kept").textContent = waiting ? words(text, { n: waiting }) : "";
  find("understood").hidden = !error.final || !waiting;
  clock.stop();
  find("refused").hidden = false;
  forgetUndo();
  settle();
}

function onState(state, count) {
  isFailing = state === "offline";
  setSaveState(document.getElementById("save-state"), state, { count });
}

function tell(text) {
  find("told-text").textContent = text;
  find("told").hidden = !text;
}

/* The end */

function showEnd() {
  position = answers.total + 1;
  isShown = false;
  sight.show(null);
  clock.stop();
  photos.rest();
  isReviewed = false;
  phase = "answer";
  model.hide();
  root.classList.remove("is-model");
  root.classList.add("is-ended");
  formElement.hidden = true;
  find("end").hidden = false;
  const review = find("review");
  if (review) {
    const label = (n) => words(saying("sayAnswered"), { n, answer: describe(answers.at(n) ?? {}) });
    listAnswers(review, answers, label);
  }
  showPlace();
  find("end").querySelector("h2").focus({ preventScroll: true });
}

async function finish() {
  const problem = find("finish-problem");
  find("finish").disabled = true;
  problem.textContent = "";
  if (await queue.empty()) {
    try {
      const answer = await fetch(`${base}finish`, { method: "POST", credentials: "same-origin" });
      const data = await answer.json();
      if (answer.ok) return location.assign(home);
      problem.textContent = data.error.message;
    } catch {
      problem.textContent = document.getElementById("toasts").dataset.offline;
    }
  }
  find("finish").disabled = hasEnded;
}

async function leaveWhenEmpty() {
  if (await queue.empty()) location.assign(home);
}

/* Practice keeps nothing, so nothing waits and nothing is sent. */
const queue = isPractice
  ? { add: () => null, waitsFor: () => false, empty: async () => true, items: [] }
  : new Queue(base, { home, who }, { onTaken, onState, onRefused, onEnd });
for (const { position: target, body } of queue.items) answers.putGiven(target, body);

/* Keys and buttons */

for (const code of ANSWER_CODES) {
  bindKey(code, () => form.choose(code));
  bindKey(code, () => form.chooseSecond(code), { shift: true });
}
bindKey("Comma", () => form.stepConfidence(-1), { repeat: true });
bindKey("Period", () => form.stepConfidence(1), { repeat: true });
bindKey("KeyU", undo);
bindKey("BracketLeft", viewer.zoomOut, { repeat: true });
bindKey("BracketRight", viewer.zoomIn, { repeat: true });
bindKey("KeyF", () => viewer.fit());
for (const way of Object.keys(WAYS)) bindFreeKey(`Arrow${way}`, () => viewer.nudge(way), { repeat: true, overClicked: true, shift: true });
// After the practice Enter begins what counts; "I am done" is said by its button alone, as it cannot be taken back.
const onEnter = () => (formElement.hidden ? isPractice && find("begin").click() : formElement.requestSubmit());
bindFreeKey("Enter", onEnter, { overClicked: true });
for (const input of formElement.querySelectorAll("[data-code]")) bindKey(input.dataset.code, () => form.check(input));
if (mayGoBack) {
  bindFreeKey("ArrowLeft", () => go(position - 1), { overClicked: true });
  bindFreeKey("ArrowRight", () => go(position + 1), { overClicked: true });
}
if (isAided) {
  const { heatmap } = model;
  const ifMaps = (run) => () => model.hasMaps && run();
  bindKey("KeyH", ifMaps(() => heatmap.toggle()));
  bindKey("KeyP", ifMaps(() => heatmap.togglePanels()));
  const over = { overClicked: true };
  bindFreeKey("Space", ifMaps(() => heatmap.hold(true)), { ...over, up: () => heatmap.hold(false) });
  bindFreeKey("ArrowDown", ifMaps(() => heatmap.setOpacity(heatmap.opacity - OPACITY_STEP)), { ...over, repeat: true });
  bindFreeKey("ArrowUp", ifMaps(() => heatmap.setOpacity(heatmap.opacity + OPACITY_STEP)), { ...over, repeat: true });
}

formElement.addEventListener("submit", (event) => {
  event.preventDefault();
  confirm();
});
find("undo-button").addEventListener("click", undo);
find("understood").addEventListener("click", () => {
  queue.giveUp();
  location.assign(home);
});
find("finish")?.addEventListener("click", finish);
root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-go]");
  if (!button) return;
  const { go: where, position: place } = button.dataset;
  isReviewed = where === "review";
  go({ back: position - 1, forward: position + 1, last: answers.total, review: Number(place) }[where]);
});
document.addEventListener("keys:switch", ({ detail }) => {
  fetch(root.dataset.keysUrl, { method: "POST", body: new URLSearchParams({ on: detail.on ? "1" : "0" }) }).catch(
    () => null,
  );
});
for (const name of ["visibilitychange", "pagehide"]) {
  (name === "pagehide" ? window : document).addEventListener(name, () => {
    if (name === "visibilitychange" && !document.hidden) return;
    if (!isPractice && position <= answers.total) {
      keepDraft(keptName(base, home, who), { position, ...form.value, seconds: sight.seconds(position) });
    }
  });
}

go(answers.next);
