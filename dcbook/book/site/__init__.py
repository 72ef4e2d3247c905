"""The book as a web site, from stored outputs and committed records: ``python -m dcbook.book.site``.

`source` lays out what Sphinx reads: the notebooks, the pages in ``pages/``, and what is made from data (`claims`,
`exercises`, `reference`). `conf` is Sphinx's configuration, with two extensions: `links` for what lies outside of the
site, `docstrings` for ours. The site is made from a checkout; an installed package has no pages.
"""
