"""Reports: the files of a run for people and for other programs, and what screens show of them."""

from gridcheck.reports.folder import Results, publish, read_results, write_results

__all__ = ["Results", "publish", "read_results", "write_results"]
