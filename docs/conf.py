"""Sphinx configuration: Markdown, and warnings are errors (`make docs`)."""

project = "Graph Network Harness"
author = "the Graph Network Harness authors"
extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "A stack of services from one file", "fixed_sidebar": True}
