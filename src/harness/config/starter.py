"""The stack file that `harness init` writes: it loads, starts and stops as it is."""

from __future__ import annotations

__all__ = ["template"]

_TEXT = """\
# A stack: services and one-shot tasks, started in the order they need one another.
# `harness validate` checks this file, `harness up` starts it, `harness down` takes it down.

version: "1"
name: {name}

# Values for ${{NAME}} below. The environment, and a .env file beside this one, come first.
variables:
  GREETING: hello

services:
  web:
    type: process
    # A list, or a text that is split as a shell would but run without one.
    command: python3 -m http.server --bind 127.0.0.1 ${{web.port}}
    ports:
      http:
        port: auto # any free port; a number asks for that one
        scheme: http
    # The service counts as ready once this passes.
    health_check:
      http: ${{web.url}}/
      interval: 10s
      timeout: 2s
    restart: on-failure

tasks:
  greet:
    type: process
    # Using another unit's address makes this one wait for it; no depends_on is needed.
    command: [echo, "${{GREETING}}", "from ${{web.url}}"]
"""


def template(name: str = "my-stack") -> str:
    """Return a commented stack file for a project of this name."""
    return _TEXT.format(name=name)
