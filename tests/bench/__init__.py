"""Speed beside other libraries; `make bench` prints it."""
