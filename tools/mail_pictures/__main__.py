"""`python -m tools.mail_pictures OUT`: every kind of mail as a picture, to be looked at.

    python -m tools.mail_pictures OUT [--browser /usr/bin/chromium] [--only NAME ...]

OUT/NAME-light.png and OUT/NAME-dark.png show the mail on a phone (390 pixels) and beside it in
a desktop window (900 pixels), with the subject as a lock screen has it above. The mails are
those of `tests/golden`, in English and (NAME-de) in German.
"""

from __future__ import annotations

import argparse
import base64
import html
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from monitor.delivery.message import Rendered
from tests.golden.mail_samples import all_mails

PHONE, DESKTOP, GAP, TOP = 390, 900, 24, 64
SCHEMES = {"dark": 0, "light": 1}
"""`preferredColorScheme` of the browser."""
_WIDTH = PHONE + DESKTOP + 3 * GAP
_MEASURE = """
<script>
addEventListener("load", () => {
  const frames = [...document.querySelectorAll("iframe")];
  const tallest = Math.max(...frames.map(it => it.contentDocument.documentElement.scrollHeight));
  document.title = "tallest " + tallest;
});
</script>"""


def page(mail: Rendered, height: int) -> str:
    """The mail in two frames, its subject above them; it measures itself."""
    inside = mail.html
    for picture in mail.pictures:
        data = base64.b64encode(picture.png).decode()
        inside = inside.replace(f"cid:{picture.cid}", f"data:image/png;base64,{data}")
    frames = "".join(
        f'<iframe srcdoc="{html.escape(inside)}" width="{width}" height="{height}" '
        f'style="border:0; margin-left:{GAP}px; vertical-align:top"></iframe>'
        for width in (PHONE, DESKTOP)
    )
    return (
        f'<!doctype html><meta charset="utf-8"><body style="margin:0; width:{_WIDTH}px; '
        f'background:#8a8f98; font-size:0"><p style="margin:0; height:{TOP}px; '
        f"padding:8px {GAP}px; box-sizing:border-box; font:600 15px sans-serif; color:#fff; "
        f'width:{PHONE + 2 * GAP}px">{html.escape(mail.subject)}</p>{frames}{_MEASURE}'
    )


def picture(browser: str, mail: Rendered, scheme: str, out: Path) -> None:
    """One picture of one mail in one colour scheme."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "mail.html"
        source.write_text(page(mail, 400), encoding="utf-8")
        dom = _run(browser, scheme, folder, "--dump-dom", source)
        found = re.search(r"<title>tallest (\d+)</title>", dom)
        if found is None:
            raise SystemExit(f"the browser did not measure {out.name}")
        height = int(found[1])
        source.write_text(page(mail, height), encoding="utf-8")
        shot = (f"--screenshot={out}", f"--window-size={_WIDTH},{height + TOP + GAP}")
        _run(browser, scheme, folder, *shot, source)


def _run(browser: str, scheme: str, folder: str, *options: object) -> str:
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--virtual-time-budget=2000",
        f"--user-data-dir={folder}/profile",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        *map(str, options),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise SystemExit(f"{browser} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.mail_pictures")
    parser.add_argument("out", type=Path)
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    mails = all_mails() | {f"{name}-de": mail for name, mail in all_mails("de").items()}
    for name, mail in mails.items():
        if given.only and name not in given.only:
            continue
        for scheme in SCHEMES:
            picture(given.browser, mail, scheme, given.out.resolve() / f"{name}-{scheme}.png")
        sys.stderr.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
