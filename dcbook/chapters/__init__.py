"""One folder for each paper, with what it adds to the book and nothing else. No chapter knows another.

| in a chapter | what it holds |
|---|---|
| `grids` | its runs at each scale, by table and figure |
| `watches` | what the records of its runs keep beside scores |
| `tables` | records as rows, for what is printed and drawn |
| `pictures` | the kinds of pictures that no other chapter draws |
| `claims` | what the paper says, the runs that decide, and how records judge it |
| `reported/` | the paper's own numbers, with how they are known |
"""
