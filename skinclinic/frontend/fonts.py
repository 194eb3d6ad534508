"""Make the font files of what the product itself says: Latin letters and digits, and the syllables of the Korean
catalogue, those of the first pages in files of their own.

    pip install fonttools==4.68.0 brotli==1.2.1
    npm pack pretendard@1.3.9 && tar xzf pretendard-1.3.9.tgz
    python skinclinic/frontend/fonts.py package/dist/web/variable/woff2/PretendardVariable.woff2

Writes ``static/fonts/`` and ``static/css/fonts.css``. The glyphs are Pretendard's own; as its licence (OFL-1.1) asks of
what is made from it, the name is another. Whatever else people write comes from Pretendard's own subsets, in which each
page found its few syllables in a dozen files. Run it again when many strings have changed; a syllable that came since
looks the same without.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER, SHEET = ROOT / "static" / "fonts", ROOT / "static" / "css" / "fonts.css"
FAMILY = "SkinClinic UI"
# Those that stand in one of Pretendard's own subsets: letters of two files are not kerned, and pages keep their look.
LATIN = "".join(
    chr(code)
    for first, last in (
        (0x20, 0x22), (0x27, 0x2A), (0x2C, 0x3B), (0x3F, 0x3F), (0x41, 0x5D), (0x61, 0x7B), (0x7D, 0x7D),
        (0xA0, 0xA1), (0xAB, 0xAB), (0xAD, 0xAE), (0xB7, 0xB7), (0xBB, 0xBB), (0xBF, 0xBF),
        (0x2013, 0x2014), (0x201C, 0x201D), (0x2122, 0x2122),
    )
    for code in range(first, last + 1)
)  # fmt: skip
# What is on by itself in a browser, and the digits of equal width that tables ask for.
FEATURES = ["calt", "ccmp", "clig", "kern", "liga", "locl", "mark", "mkmk", "rlig", "tnum"]
# Which templates say it first: the sign-in page; then the frame and the pages that everybody opens.
FIRST = (
    (
        "base_bare.html", "registration/login.html", "components/brand.html", "components/language_menu.html",
        "components/theme_menu.html", "components/demo_strip.html", "components/password_parts.html",
        "components/help_link.html", "components/language_choices.html",
    ),
    ("base.html", "components/*.html", "worklist/*.html", "archive/gallery/page.html",
     "archive/gallery/body.html", "archive/*.html",
     "result/*.html", "patients/*.html", "studies/list.html"),
)  # fmt: skip
_ENTRY = re.compile(
    r'^msgid ((?:".*"\n)+)(?:msgid_plural (?:".*"\n)+)?((?:msgstr(?:\[\d\])? (?:".*"\n)+)+)', re.M
)


def parts() -> dict[str, str]:
    """The letters of each file, by its name; none is in two."""
    said = [(_text(own), _text(words)) for own, words in _ENTRY.findall(_catalogue())]
    found, taken = {"latin": LATIN}, set(LATIN)
    for number, patterns in enumerate((*FIRST, ("**/*",)), 1):
        texts = "\n".join(
            path.read_text(encoding="utf-8")
            for pattern in patterns
            for folder in ("templates", "templates/jinja2")
            for path in sorted((ROOT / folder).glob(pattern))
            if path.is_file()
        )
        is_last = number == len(FIRST) + 1
        letters = {
            c for own, words in said if own and (is_last or own in texts) for c in words if _is_syllable(c)
        }
        if number == len(FIRST):
            letters |= set(
                filter(_is_syllable, (ROOT / "locale" / "ko" / "diseases.json").read_text(encoding="utf-8"))
            )
        found[f"ko-{number}"] = "".join(sorted(letters - taken))
        taken |= letters
    return found


def _is_syllable(letter: str) -> bool:
    return "가" <= letter <= "힣"


def _catalogue() -> str:
    return (ROOT / "locale" / "ko" / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")


def _text(quoted: str) -> str:
    return "".join(re.findall(r'"(.*)"', quoted))


def ranges(letters: Iterable[str]) -> str:
    """``U+20-7e, U+ac00``"""
    codes = sorted(map(ord, letters))
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return ",".join(f"U+{first:x}" if first == last else f"U+{first:x}-{last:x}" for first, last in runs)


def make(whole: Path) -> None:
    """Write the files and the sheet that names them."""
    from fontTools import subset  # type: ignore[import-untyped]  # of no part of the product

    FOLDER.mkdir(exist_ok=True)
    faces = []
    for name, letters in parts().items():
        options = subset.Options(flavor="woff2", layout_features=FEATURES, hinting=False)
        options.name_IDs = [0, 1, 2, 4, 6, 13, 14]
        font = subset.load_font(whole, options)
        cutter = subset.Subsetter(options)
        cutter.populate(text=letters)
        cutter.subset(font)
        for place, said in ((1, FAMILY), (4, FAMILY), (6, FAMILY.replace(" ", ""))):
            font["name"].removeNames(nameID=place)
            font["name"].setName(said, place, 3, 1, 0x409)
        subset.save_font(font, FOLDER / f"ui-{name}.woff2", options)
        faces.append(
            f'@font-face{{font-family:"{FAMILY}";font-weight:45 920;font-display:swap;'
            f'src:url(../fonts/ui-{name}.woff2) format("woff2");unicode-range:{ranges(letters)}}}\n'
        )
    SHEET.write_text(
        "/* Made by skinclinic/frontend/fonts.py, of Pretendard (SIL Open Font License 1.1,\n"
        "   ../vendor/pretendard-1.3.9/LICENSE.txt). */\n" + "".join(faces),
        encoding="utf-8",
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes")
