// Two answers to the same photo, one from another window or device: the reader sees both and chooses.

/** Ask which answer counts; resolves with "theirs" or "mine". Closing the dialog leaves the other one in force. */
export function askWhich(photo, theirs, mine) {
  const dialog = document.getElementById("conflict");
  const put = (name, text) => (dialog.querySelector(`[data-conflict-${name}]`).textContent = text);
  put("photo", photo);
  put("theirs", theirs);
  put("mine", mine);
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
