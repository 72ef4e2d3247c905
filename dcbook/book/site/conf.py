"""Sphinx's configuration. `checkout`, `repository` and `branch` are given by ``python -m dcbook.book.site``."""

import shutil
from importlib.metadata import distribution
from pathlib import Path

import dcbook

project, author, release = "dcbook", "The dcbook authors", dcbook.__version__
project_copyright = author
html_title = "dcbook: deep clustering, reproduced"
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "notfound.extension",
    "dcbook.book.site.links",
    "dcbook.book.site.docstrings",
]
exclude_patterns = ["figures/**/*.md"]
suppress_warnings = ["myst.header"]  # READMEs may begin at any depth

# Notebooks and Markdown
nb_execution_mode = "off"  # stored outputs are what the site shows
nb_merge_streams = True
nb_render_markdown_format = "myst"  # links and formulas in stored tables and verdicts are those of a page
myst_enable_extensions = ["amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
bibtex_bibfiles = [str(Path(__file__).parent / "references.bib")]
bibtex_reference_style = "author_year"

# The package
default_role = "py:obj"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
add_module_names = False

# HTML
html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = True  # the button that downloads a notebook leads there
html_show_sourcelink = False
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system has it
html_last_updated_fmt = None
html_permalinks_icon = "#"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"
notfound_urls_prefix = ""
templates_path = ["templates"]

# One file of MathJax 3.2.2 that asks nobody for anything; its package is not loaded, since that copies 24 MB
MATHJAX = "mathjax/tex-svg.js"
mathjax_path = MATHJAX
mathjax3_config = {"options": {"enableMenu": False}, "svg": {"fontCache": "local"}}


def theme_options(app, config):
    """The buttons need the repository's address; without one there are none."""
    options = {
        "show_navbar_depth": 1,
        "home_page_in_toc": False,
        "navbar_persistent": [],  # else an empty bar with a second search field on every page
        "use_download_button": True,
        "use_fullscreen_button": False,
        "show_prev_next": True,
        "logo": {"text": "dcbook"},
        "footer_content_items": ["copyright.html"],
    }
    if config.repository:
        options |= {
            "repository_url": config.repository,
            "repository_branch": config.branch,
            "repository_provider": "github",
            "path_to_docs": "",
            "use_repository_button": True,
            "use_edit_page_button": True,
            "use_issues_button": True,
            "launch_buttons": {
                "notebook_interface": "jupyterlab",
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
            },
        }
    config.html_theme_options = options


def download_notebooks_alone(app, pagename, templatename, context, doctree):
    """Take the sources of other pages off the site, and the button that leads there."""
    if context.get("page_source_suffix") == ".ipynb":
        return
    context["sourcename"] = ""
    for group in context["header_buttons"]:
        if group["label"] == "download-buttons":
            group["buttons"] = [each for each in group["buttons"] if each["label"] != "download-source-button"]


def copy_mathjax(app, error):
    """Put MathJax's file beside the other static files."""
    if error is None and app.builder.format == "html":
        source = distribution("sphinx-mathjax-offline").locate_file(f"sphinx-mathjax-offline/static/{MATHJAX}")
        target = Path(app.outdir) / "_static" / MATHJAX
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def setup(app):
    """Sphinx's hook."""
    app.connect("config-inited", theme_options, priority=1)
    app.connect("html-page-context", download_notebooks_alone, priority=502)  # after the theme has made its buttons
    app.connect("build-finished", copy_mathjax)
