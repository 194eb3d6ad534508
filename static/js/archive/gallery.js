// The size of thumbnails: changed at once, and kept for the pages to come.

const groups = document.getElementById("archive-groups");
const buttons = [...document.querySelectorAll("[data-thumbs]")];

for (const button of buttons) {
  button.addEventListener("click", () => {
    const size = button.dataset.thumbs;
    for (const other of buttons) {
      groups.classList.toggle(`thumbs-${other.dataset.thumbs}`, other === button);
      other.setAttribute("aria-pressed", String(other === button));
    }
    document.cookie = `archive_thumbs=${size}; path=/; max-age=31536000; samesite=lax`;
  });
}
