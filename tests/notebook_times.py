"""A plugin for pytest: how long each notebook took, the slowest first (`make test` loads it where nbval runs)."""

from collections import Counter

LIMIT = 25  # seconds of one core that a quick notebook may take
seconds: Counter[str] = Counter()


def pytest_runtest_logreport(report):
    seconds[report.nodeid.partition("::")[0]] += report.duration


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("seconds by notebook")
    for name, took in seconds.most_common():
        terminalreporter.line(f"{took:6.1f}  {name}{f'  (over {LIMIT})' if took > LIMIT else ''}")
