// All answers of a reader before "I am done", each a way back to its photo.

/** Fill `list` with the answers of `answers` (an Answers) in words; `label(position)` gives those of one. */
export function listAnswers(list, answers, label) {
  const places = Array.from({ length: answers.total }, (_, index) => index + 1);
  const rows = places.filter((position) => !answers.isGone(position)).map((position) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reading-reviewed";
    button.dataset.go = "review";
    button.dataset.position = String(position);
    button.textContent = label(position);
    item.append(button);
    return item;
  });
  list.replaceChildren(...rows);
}
