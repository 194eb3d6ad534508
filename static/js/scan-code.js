// A patient's code read with the camera, where the browser can: it is put into the form's field, and the form is sent.
// Elsewhere the button stays hidden; the field takes what is typed, by hand or by a scanner that ends with Enter.

const EVERY_MS = 200;

class Scanner {
  constructor(button) {
    this.form = button.closest("form");
    this.dialog = this.form.querySelector("[data-scan-dialog]");
    this.video = this.dialog.querySelector("video");
    this.said = this.dialog.querySelector("[data-scan-said]");
    // A dialog inside a form sends the form with Enter.
    this.dialog.querySelector("[data-scan-stop]").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.stop());
    button.addEventListener("click", () => this.start());
    button.hidden = false;
  }

  async start() {
    this.said.textContent = this.said.dataset.looking;
    this.last = "";
    this.dialog.showModal();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (!this.dialog.open) return stopTracks(stream);
      this.video.srcObject = stream;
      await this.video.play();
      this.detector ??= new window.BarcodeDetector();
      this.timer = setInterval(() => this.look(), EVERY_MS);
    } catch {
      this.said.textContent = this.said.dataset.denied;
    }
  }

  async look() {
    const found = await this.detector.detect(this.video).catch(() => []);
    const codes = [...new Set(found.map((code) => code.rawValue.trim()).filter(Boolean))];
    // One code, and the same twice: another patient's sheet may lie beside it, and a glance may misread.
    const code = codes.length === 1 ? codes[0] : "";
    if (!this.dialog.open || !code || code !== this.last) {
      this.last = code;
      return;
    }
    this.dialog.close();
    this.form.elements.q.value = code;
    this.form.requestSubmit();
  }

  stop() {
    clearInterval(this.timer);
    if (this.video.srcObject) stopTracks(this.video.srcObject);
    this.video.srcObject = null;
  }
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

if ("BarcodeDetector" in window && navigator.mediaDevices?.getUserMedia) {
  for (const button of document.querySelectorAll("[data-scan]")) new Scanner(button);
}
