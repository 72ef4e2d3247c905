import gc
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import matplotlib
import nbformat
import pytest
from hypothesis import settings

matplotlib.use("Agg")
settings.register_profile("dcbook", deadline=None)
settings.load_profile("dcbook")


def pytest_collection_finish():
    """Leave what has been imported and collected out of every search for garbage: it is a large heap, and it stays."""
    gc.collect()
    gc.freeze()


def notebook(*cells, parameters='scale = "quick"'):
    """A notebook of code cells, after one tagged `parameters`; a cell is source, or (source, tag, stored output)."""
    made = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    for cell in cells:
        source, tag, text = cell if isinstance(cell, tuple) else (cell, None, None)
        code = nbformat.v4.new_code_cell(source, metadata={"tags": [tag]} if tag else {})
        if text is not None:
            code.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
            code.execution_count = 1
        made.append(code)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=made, metadata=kernel)


@pytest.fixture
def book_folder(tmp_path, monkeypatch):
    """A folder that stands for the checkout: put notebooks in its ``notebooks/``, find output beside them."""
    from dcbook.book import paths

    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    monkeypatch.setenv(paths.OUTPUT, str(tmp_path))

    def put(name, made):
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, path)
        return path

    return tmp_path, put
