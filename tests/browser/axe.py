"""WCAG 2.2 A and AA checks of a page by axe-core."""

from pathlib import Path

from playwright.sync_api import Page

VENDOR = Path(__file__).parent / "vendor"
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# What else they look at is the same in every colour.
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}

# A half-faded element has half its contrast: colours change at once (a transition that others inherit from starts
# theirs again and again, so that waiting for those under way is not enough), and what moves is awaited, but for what
# turns for ever. What is out of sight may never end, either. The page is looked at from its top: what has gone half
# under its head is no smaller for that. All in one: to ask a page for each step takes as long as some of them.
LOOK = """async (options) => {
    const still = new CSSStyleSheet();
    still.replaceSync("*, ::before, ::after { transition: none !important }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, still];
    const moving = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity);
    const ended = Promise.all(moving.map((one) => one.finished.catch(() => null)));
    await Promise.race([ended, new Promise((done) => setTimeout(done, 2000))]);
    const scrolled = scrollY;
    scrollTo({top: 0, behavior: "instant"});
    const result = await axe.run(document, options);
    scrollTo({top: scrolled, behavior: "instant"});
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== still);
    return result.violations;
}"""


def violations(page: Page, rules: dict = RULES) -> list[str]:
    """Return what axe-core finds wrong with the page as it stands, a line each; empty is good."""
    if page.evaluate("!window.axe"):
        (script,) = VENDOR.glob("axe-core-*/axe.min.js")
        page.evaluate(script.read_text())
    # To list all that passed takes a while, too.
    found = page.evaluate(LOOK, {"runOnly": rules, "resultTypes": ["violations"]})
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for violation in found
        for node in violation["nodes"]
    ]


def violations_by_day_and_night(page: Page) -> list[str]:
    """The same, light and then dark, without fetching the page again."""
    found = []
    for scheme, rules in (("light", RULES), ("dark", OF_COLOURS)):
        page.emulate_media(color_scheme=scheme)
        # The page is told of it with its next picture.
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found += [f"{scheme}: {violation}" for violation in violations(page, rules)]
    return found
