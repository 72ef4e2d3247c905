"""Sphinx: links that lead out of the site, into the repository; addresses of made HTML; the button that edits a page.

Settings: `checkout`, the folder of the repository; `repository`, its address on a forge, without which no page has a
link or a button that leads there; `branch`.
"""

from __future__ import annotations

import inspect
import posixpath
import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

OWN_PAGES = "dcbook/book/site/pages"
ROOTED = re.compile(r'(href|src)="/([^"#?]*)')
CLAIM = re.compile(r'href="README\.html"(><span[^>]*>claim (\d+)<)')  # as `dcbook.book.verdict` links to one


class IntoRepository(SphinxPostTransform):
    """A link to a file or folder that the site does not have leads to the repository, or is plain text without one.

    A target that the repository does not have either is left as it is, and Sphinx warns.
    """

    default_priority = 5  # before MyST resolves links

    def run(self, **_: object) -> None:
        for node in list(self.document.findall(pending_xref)):
            path = self._path(node) if node.get("reftype") == "myst" else None
            if path is None:
                continue
            address = forge(self.config, path)
            words = nodes.reference("", "", refuri=address) if address else nodes.inline("", "", classes=["outside"])
            words += node.children
            node.replace_self(words)

    def _path(self, node: pending_xref) -> str | None:
        """Of a link's target below the checkout, if it is there and not in the site."""
        target = node["reftarget"].partition("#")[0]
        folder = "" if target.startswith("/") else posixpath.dirname(node.get("refdoc", self.env.docname))
        path = posixpath.normpath(posixpath.join(folder, target.lstrip("/")))
        outside = not target or path.startswith("..") or not (Path(self.config.checkout) / path).exists()
        return None if outside else path


def forge(config, path: str) -> str | None:
    """The address of a file or folder on the forge; None where the repository has no address."""
    if not config.repository:
        return None
    kind = "tree" if (Path(config.checkout) / path).is_dir() else "blob"
    return f"{config.repository}/{kind}/{config.branch}/{path}"


def linkcode(config, domain: str, info: dict[str, str]) -> str | None:
    """The address of a Python object's source, for ``sphinx.ext.linkcode``."""
    if domain != "py":
        return None
    found = sys.modules.get(info["module"])
    try:
        for name in info["fullname"].split("."):
            found = getattr(found, name)
        found = inspect.unwrap(found)
        path = Path(inspect.getsourcefile(found)).relative_to(config.checkout).as_posix()
        line = inspect.getsourcelines(found)[1]
    except (AttributeError, OSError, TypeError, ValueError):
        return None
    address = forge(config, path)
    return address and f"{address}#L{line}"


def resolve_code(app: Sphinx, config) -> None:
    """Give ``sphinx.ext.linkcode`` its function."""
    config.linkcode_resolve = lambda domain, info: linkcode(config, domain, info)


def edit_at(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Where the page's source lies in the repository, for the button that edits it; none for pages made from code."""
    if (Path(app.config.checkout) / OWN_PAGES / f"{page}.md").exists():
        context["doc_path"] = OWN_PAGES
    elif page.startswith("api/"):
        context["page_source_suffix"] = ""


def relative(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Addresses from the site's top, in made HTML, become relative; a picture's becomes that of Sphinx's copy of it.

    A notebook's link to a claim leads to that claim in its chapter's list.
    """

    def address(found: re.Match) -> str:
        path = found[2]
        if path in app.env.images:
            path = f"_images/{app.env.images[path][1]}"
        return f'{found[1]}="{context["pathto"](path, resource=True)}'

    if "body" in context:
        chapter = page.split("/")[-2] if "/" in page else ""
        body = CLAIM.sub(rf'href="README.html#{chapter}-\2"\1', context["body"])
        context["body"] = ROOTED.sub(address, body)


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx's hook."""
    app.add_config_value("checkout", "", "env", str)
    app.add_config_value("repository", "", "env", str)
    app.add_config_value("branch", "main", "env", str)
    app.add_post_transform(IntoRepository)
    app.connect("config-inited", resolve_code)
    app.connect("html-page-context", edit_at, priority=1)
    app.connect("html-page-context", relative)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
