"""The explorer of latent space: what its page shows, trained and written by ``python -m dcbook.book.explorer``."""

from dcbook.book.explorer.course import Frame, Plan, Route

__all__ = ["Frame", "Plan", "Route"]
