"""The programs of the stack: which there are, where they are, and how they are installed.

Finding one imports nothing but the standard library: whatever launches a service does it.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

from .places import TOOLS, Tool, cache_dir, find_tool, tools_dir

if TYPE_CHECKING:
    from .install import install_tools

__all__ = ["TOOLS", "Tool", "cache_dir", "find_tool", "install_tools", "tools_dir"]

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, {"install_tools": "install"})
