"""What somebody who logs in may do, as an option says it."""

from __future__ import annotations

import click

__all__ = ["ROLES", "role_option"]

ROLES = ("viewer", "operator", "admin")
"""Those of `harness.access`, which is loaded only where it is needed; a test compares them."""

role_option = click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What it allows."
)
