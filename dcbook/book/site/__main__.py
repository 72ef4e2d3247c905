"""Build the site from stored outputs, running nothing: ``python -m dcbook.book.site``. A warning is an error."""

import argparse
import os
import shutil
import sys
import tomllib
from pathlib import Path

from dcbook.book import paths

try:
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError

    from dcbook.book.site import source
except ModuleNotFoundError as error:
    if (error.name or "").startswith("dcbook"):
        raise
    sys.exit(f"error: the site needs {error.name}, which is not installed: run `make site`")

OURS = "_static/claims.js"  # a file that every site of this book has
PLAIN = ".nojekyll"  # tells GitHub Pages to serve all files as they are


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 if the site was built, 1 if a page has an error or a warning, 2 for a folder of other things."""
    root = paths.root()
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dcbook"]["site"]
    parser = argparse.ArgumentParser(prog="python -m dcbook.book.site", description=__doc__.partition(":")[0])
    parser.add_argument("--out", type=Path, default=root / "build" / "site", help="default: build/site")
    parser.add_argument(
        "--repository",
        default=settings["repository"],
        help="address on a forge, for buttons and links; default: that of pyproject.toml",
    )
    chosen = parser.parse_args(arguments)
    out = chosen.out.resolve()
    try:
        code = build(root, out, root / "build" / "site-source", chosen.repository.rstrip("/"), settings["branch"])
    except FileExistsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if code == 0:
        files = [path for path in out.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6
        print(f"{out / 'index.html'}: {sum(path.suffix == '.html' for path in files)} pages, {size:.0f} MB")
    return code


def build(root: Path, out: Path, work: Path, repository: str = "", branch: str = "main", **options) -> int:
    """Build the site of a checkout.

    Parameters
    ----------
    root : Path
        The checkout.
    out : Path
        Folder of the site: new, empty, or with a site of an earlier build, which is replaced if this one succeeds.
    work : Path
        Folder for what Sphinx reads and what it keeps for the next time.
    repository, branch : str
        Address on a forge ("" for none), and the branch that links and buttons lead to.
    **options
        Those of `source.lay_out`.

    Raises
    ------
    FileExistsError
        If `out` is a file, or holds anything but a site: other hidden files, such as ``.git``, too.
    """
    if not _is_free(out):
        raise FileExistsError(f"{out} is or holds something other than a site of dcbook; give another folder")
    os.environ["SOURCE_DATE_EPOCH"] = "0"  # the same bytes each time
    source.lay_out(root, work / "pages", **options)
    made = work / "site"
    shutil.rmtree(made, ignore_errors=True)
    settings = {"checkout": str(root), "repository": repository, "branch": branch}
    here = Path(__file__).parent
    try:
        app = Sphinx(
            work / "pages", here, made, work / "doctrees", "html", confoverrides=settings, status=None,
            warning=sys.stderr, warningiserror=True,
        )  # fmt: skip
        app.build()
    except SphinxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if app.statuscode:
        return app.statuscode
    for unread in ("*.js.map", "*.css.map"):  # 3 MB for those who debug the theme
        for path in (made / "_static").rglob(unread):
            path.unlink()
    shutil.rmtree(made / "_static" / "locales", ignore_errors=True)  # translations of the theme
    source.archives(root, made / "records")
    (made / ".buildinfo").unlink(missing_ok=True)
    (made / PLAIN).touch()
    if out.exists():
        shutil.rmtree(out)
    shutil.move(made, out)
    return 0


def _is_free(out: Path) -> bool:
    """Whether there is nothing, an empty folder, or a site of ours without other hidden files, such as ``.git``."""
    if not out.is_dir():
        return not out.exists()
    hidden = {path.name for path in out.iterdir() if path.name.startswith(".")}
    return not any(out.iterdir()) or ((out / OURS).is_file() and hidden == {PLAIN})


if __name__ == "__main__":
    sys.exit(main())
