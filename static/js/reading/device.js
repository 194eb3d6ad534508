// On what a photo was answered, told coarsely: kind of device, size of the window, pixels of the screen.

const SMALLEST_TABLET = 600;

/** {device: phone, tablet or desktop; viewport: "390x844@3"} */
export function deviceNow() {
  const isHeld = matchMedia("(pointer: coarse)").matches;
  const isSmall = Math.min(screen.width, screen.height) < SMALLEST_TABLET;
  const ratio = Math.round(100 * (window.devicePixelRatio || 1)) / 100;
  return {
    device: isHeld ? (isSmall ? "phone" : "tablet") : "desktop",
    viewport: `${window.innerWidth}x${window.innerHeight}@${Math.min(ratio, 99)}`,
  };
}
