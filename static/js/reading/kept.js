// What answers and drafts of a reading are called on this device. The address of a reading holds the secret of its link,
// which is all the access there is: storage has a name that is made of it and leads to nothing.

/** The name of the session at `base`, below the address `home` of a link that is called `who` here. */
export const keptName = (base, home, who) => `${who}/${base.slice(home.length)}`;

/** The address of a session by its name; null for those of other links. */
export function addressOf(name, home, who) {
  return name.startsWith(`${who}/`) ? home + name.slice(who.length + 1) : null;
}

/** What was kept under addresses, before there were names. */
export function renameKept(home, who) {
  try {
    for (const old of Object.keys(localStorage)) {
      const [prefix, base, ...rest] = old.split(" ");
      if (!prefix.startsWith("skinclinic-reading") || !base?.startsWith(home)) continue;
      localStorage.setItem([prefix, keptName(base, home, who), ...rest].join(" "), localStorage.getItem(old));
      localStorage.removeItem(old);
    }
  } catch {
    // A browser that refuses storage has kept nothing.
  }
}
