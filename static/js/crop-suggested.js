// The squares that the model suggests, in the crop form of templates/components/crop.html: asked for, drawn, chosen by a
// click or the keys 1 to 5. None is chosen by itself.
import { send, sendJson } from "./http.js";

const AGAIN_AFTER = 700;
const LOST_AFTER = 4000;

/** Bring the suggestions of a form to life; `choose` puts the square. Returns what is to be called with each new square. */
export function setUpSuggested(form, photo, choose) {
  const part = form.querySelector("[data-suggested]");
  if (!part) return () => {};
  const ask = part.querySelector("[data-suggest]");
  const list = part.querySelector("[data-suggested-list]");
  const words = part.querySelector("[data-suggested-words]");
  const over = form.querySelector("[data-suggested-over]");
  const named = (words_, n) => words_.replace("{n}", String(n));
  let squares = [];
  let current = null;
  let timer = 0;

  const mark = (box) => {
    current = box;
    for (const [place, { x, y, size }] of squares.entries()) {
      const is = box.x === x && box.y === y && box.size === size;
      list.children[place]?.firstElementChild.setAttribute("aria-pressed", String(is));
      over.children[place]?.classList.toggle("is-chosen", is);
    }
  };
  const show = ({ state, words: said, squares: found }) => {
    squares = found;
    words.textContent = said;
    ask.hidden = state === "done" || state === "waiting";
    list.hidden = !found.length;
    list.replaceChildren(...found.map((_, place) => button(place + 1)));
    over.replaceChildren(...found.map((square, place) => outline(square, place + 1)));
    if (current) mark(current);
  };
  const button = (number) => {
    const made = document.createElement("button");
    made.className = "btn btn-quiet num";
    made.type = "button";
    made.dataset.choose = String(number);
    made.textContent = String(number);
    made.setAttribute("aria-label", named(part.dataset.name, number));
    const item = document.createElement("li");
    item.append(made);
    return item;
  };
  const outline = ({ x, y, size }, number) => {
    const made = document.createElement("span");
    const put = (name, share) => made.style.setProperty(name, `${100 * share}%`);
    put("left", x / photo.width);
    put("top", y / photo.height);
    put("width", size / photo.width);
    put("height", size / photo.height);
    made.dataset.number = String(number);
    return made;
  };
  const failed = () => {
    words.textContent = part.dataset.failed;
    ask.hidden = false;
  };
  const lookAfter = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(look, milliseconds);
  };
  const look = async () => {
    if (!form.isConnected) return;
    const answer = await send(part.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
    const data = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!data) {
      failed();
      // A connection that is lost, or a server that is away, comes back; what the server refuses stays refused.
      if (!answer || answer.status >= 500) lookAfter(LOST_AFTER);
      return;
    }
    if (data.state !== "waiting" || words.textContent !== data.words) show(data);
    if (data.state === "waiting") lookAfter(AGAIN_AFTER);
  };
  const pick = (number) => {
    const square = squares[number - 1];
    if (square) choose(square);
    return Boolean(square);
  };

  ask.type = "button";
  ask.addEventListener("click", async (event) => {
    event.preventDefault();
    ask.disabled = true;
    const answer = await sendJson(part.dataset.url, {}).catch(() => null);
    ask.disabled = false;
    if (!answer?.ok) {
      failed();
      words.textContent = answer?.data?.error?.message ?? part.dataset.failed;
      return;
    }
    show(answer.data);
    // The button that had the focus is gone.
    form.querySelector("[data-box]").focus({ preventScroll: true });
    if (answer.data.state === "waiting") lookAfter(AGAIN_AFTER);
  });
  list.addEventListener("click", (event) => {
    const number = event.target.closest("[data-choose]")?.dataset.choose;
    if (number && pick(Number(number))) event.preventDefault();
  });
  form.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey || event.ctrlKey || event.target.matches("input")) return;
    if (/^[1-5]$/.test(event.key) && pick(Number(event.key))) event.preventDefault();
  });

  const stands = part.dataset.state;
  if (stands === "done" || stands === "waiting") {
    const given = [...list.querySelectorAll("[data-choose]")].map((one) => ({
      x: Number(one.dataset.x),
      y: Number(one.dataset.y),
      size: Number(one.dataset.size),
    }));
    show({ state: stands, words: words.textContent, squares: given });
    if (stands === "waiting") lookAfter(AGAIN_AFTER);
  }
  return mark;
}
