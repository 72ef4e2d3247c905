"""A plugin for pytest where `make test` runs nbval: cells fail by whatever ended them, and notebooks are timed."""

import os
from collections import Counter

import pytest

from dcbook.book.kernels import FORKED

LIMIT = 25  # seconds of one core that a quick notebook may take
seconds: Counter[str] = Counter()
os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = FORKED  # one import of PyTorch for all notebooks, not one for each


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A cell that IPython reports as failed fails: nbval alone passes an unknown magic, which IPython only prints."""
    kernel, replies = item.parent.kernel, []
    get_message = kernel.get_message

    def noted(*args, **kwargs):
        message = get_message(*args, **kwargs)
        replies.append(message["content"])
        return message

    kernel.get_message = noted
    try:
        result = yield
    finally:
        kernel.get_message = get_message
    failed = [reply for reply in replies if reply.get("status") == "error"]
    if failed and not item.options["check_exception"]:
        item.raise_cell_error(f"{failed[0]['ename']}: {failed[0]['evalue']}")
    return result


def pytest_runtest_logreport(report):
    seconds[report.nodeid.partition("::")[0]] += report.duration


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("seconds by notebook")
    for name, took in seconds.most_common():
        terminalreporter.line(f"{took:6.1f}  {name}{f'  (over {LIMIT})' if took > LIMIT else ''}")
