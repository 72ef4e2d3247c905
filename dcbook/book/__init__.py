"""What a notebook of the book needs, and the runner behind `make figures` (``python -m dcbook.book``)."""

from dcbook.book.badge import verdict
from dcbook.book.book import Book
from dcbook.book.chapters import reported
from dcbook.book.checks import check
from dcbook.book.strip import Strip
from dcbook.book.tables import comparison, table

__all__ = ["Book", "Strip", "check", "comparison", "reported", "table", "verdict"]
