// All answers of a reader before "I am done", each a way back to its photo.

/** Fill `list` with the answers of `answers` (an Answers) in words; `label(position)` gives those of one. */
export function listAnswers(list, answers, label) {
  const rows = Array.from({ length: answers.total }, (_, index) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reading-reviewed";
    button.dataset.go = "review";
    button.dataset.position = String(index + 1);
    button.textContent = label(index + 1);
    item.append(button);
    return item;
  });
  list.replaceChildren(...rows);
}
