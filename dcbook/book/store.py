"""Store the outputs of the quick scale in the notebooks themselves, so that they read well as they are."""

import base64
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat

from dcbook.book import paths
from dcbook.book.badge import verdict
from dcbook.book.output import compact
from dcbook.book.run import Finished, execute
from dcbook.files import write_whole

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def store_all(notebooks: Mapping[str, Path]) -> list[Finished]:
    """Run notebooks with their own defaults, from no records, and store the outputs of those that succeed.

    A notebook that was edited while it ran is left as it is, and its result has an error.
    """
    results = []
    with tempfile.TemporaryDirectory() as temporary, paths.output_in(temporary) as folder:
        for name, path in notebooks.items():
            print(name, flush=True)
            executed, source = folder / "executed" / f"{name}.ipynb", path.read_bytes()
            error = execute(name, path, executed, {}, paths.table(name, "quick", folder)).error
            if error is None and path.read_bytes() != source:
                error = "it was edited while it ran, so its outputs are not stored; run it again"
            if error is None:
                notebook = nbformat.read(executed, as_version=4)
                write_whole(path, nbformat.writes(tidy(notebook)) + "\n")
            results.append(Finished(name, error))
    return results


def with_verdicts(path: Path) -> str:
    """The text of a notebook whose stored verdicts are those of ``claims.json`` now; nothing else of it changes.

    Such an output depends on ``claims.json`` alone, so the notebook need not run again.
    """
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        called = re.search(r'^verdict\("([^"]+)"\)$', cell.source, re.MULTILINE)
        if cell.cell_type == "code" and called:
            for output in cell.outputs:  # one; none where the outputs are not stored yet
                output.data["text/markdown"] = verdict(called[1]).data
    return nbformat.writes(notebook) + "\n"


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """An executed notebook with small pictures and without what differs from run to run: times, versions, chunks."""
    notebook.metadata = nbformat.from_dict(METADATA)
    number = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            number += 1
            cell.execution_count = number
            cell.outputs = _joined(cell.outputs)
            for entry in cell.outputs:
                if "execution_count" in entry:
                    entry.execution_count = number
                if png := entry.get("data", {}).get("image/png"):
                    entry.data["image/png"] = base64.b64encode(compact(base64.b64decode(png))).decode()
    return notebook


def _joined(outputs: list) -> list:
    """Neighboring pieces of one stream as one output."""
    result: list = []
    for entry in outputs:
        last = result[-1] if result else None
        if last and entry.output_type == last.output_type == "stream" and entry.name == last.name:
            last.text += entry.text
        else:
            result.append(entry)
    return result
