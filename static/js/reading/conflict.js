// Two answers to the same photo, one from another window or device: the reader sees both and chooses.

/**
 * Ask which answer counts; resolves with "theirs" or "mine". Closing the dialog leaves the other one in force.
 * `photo`: a promise of the photo, which is shown when it comes.
 */
export function askWhich(place, theirs, mine, photo) {
  const dialog = document.getElementById("conflict");
  const put = (name, text) => (dialog.querySelector(`[data-conflict-${name}]`).textContent = text);
  const image = dialog.querySelector("[data-conflict-image]");
  put("photo", place);
  put("theirs", theirs);
  put("mine", mine);
  image.hidden = true;
  photo.then(({ showIn }) => showIn(image)).then(() => (image.hidden = false)).catch(() => null);
  return new Promise((resolve) => {
    const settle = (version) => {
      dialog.removeEventListener("click", onClick);
      dialog.removeEventListener("close", onClose);
      dialog.close();
      resolve(version);
    };
    const onClick = (event) => {
      const version = event.target.closest("[data-choose-version]")?.dataset.chooseVersion;
      if (version) settle(version);
    };
    const onClose = () => settle("theirs");
    dialog.addEventListener("click", onClick);
    dialog.addEventListener("close", onClose);
    dialog.showModal();
  });
}
