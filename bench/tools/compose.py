"""docker compose, where an engine runs; its image is made from the machine's own busybox."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.install import HERE, PROJECT
from bench.processes import MARKERS, marked, run
from bench.stamps import Stamp

from .base import Service, Tool, ToolFailed

__all__ = ["Compose"]

_IMAGE = "harness-bench-busybox"


class Compose(Tool):
    """Containers of one engine; there is no manager process of their own."""

    name = "compose"

    def __init__(self) -> None:
        super().__init__()
        self.env |= {name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ}

    @classmethod
    def version(cls) -> str:
        """Return the version of compose and of the engine."""
        docker, busybox = shutil.which("docker"), shutil.which("busybox")
        if docker is None or busybox is None:
            raise ToolFailed("docker or busybox is not installed")
        for words in (("info",), ("compose", "version", "--short")):
            done = run([docker, *words], env=os.environ, cwd=PROJECT, timeout_s=20.0)
            if done.status != 0:
                raise ToolFailed(f"`docker {' '.join(words)}` fails: no engine, or no compose")
        return done.stdout.decode().strip()

    def write(self, services: Sequence[Service]) -> None:
        """Make the image, and write compose.yaml; JSON is YAML too."""
        self._make_image()
        mounts = [f"{self.folder}:{self.folder}", f"{HERE}:{HERE}:ro"]
        mark = dict.fromkeys(MARKERS, self.mark)
        stack = {
            "name": self.folder.name.lower().replace("_", "-"),
            "services": {
                service.name: {
                    "image": _IMAGE,
                    "command": list(service.argv),
                    "volumes": mounts,
                    "environment": mark,
                    "network_mode": "none",
                    "restart": "always" if service.restart else "no",
                }
                for service in services
            },
        }
        (self.folder / "compose.yaml").write_text(json.dumps(stack))

    def up(self) -> None:
        """Begin to start all containers."""
        self.launch_up("docker", "compose", "up", "-d")

    def stop(self) -> None:
        """Remove all containers."""
        self.command("docker", "compose", "down", timeout_s=200.0)

    def manager_pid(self) -> int:
        """Refuse: the engine serves others too."""
        raise ToolFailed("compose has no manager of its own")

    def output(self, name: str) -> bytes:
        """Return what the engine kept."""
        return self.command("docker", "compose", "logs", "--no-log-prefix", "--no-color", name)

    def status_argv(self) -> list[str]:
        """Return `docker compose ps`."""
        return ["docker", "compose", "ps"]

    def service_pids(self, stamps: Iterable[Stamp]) -> set[int]:
        """Return what carries the marker: a container has numbers of its own."""
        return set(marked(self.mark))

    def clean_up(self) -> None:
        """Remove what is left of the project."""
        if (self.folder / "compose.yaml").exists():
            run(["docker", "compose", "kill"], env=self.env, cwd=self.folder, timeout_s=60.0)
            run(["docker", "compose", "down"], env=self.env, cwd=self.folder, timeout_s=120.0)

    def _make_image(self) -> None:
        busybox = Path(shutil.which("busybox") or "/bin/busybox").resolve()
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            archive.add(busybox, "bin/busybox")
            for name in ("sh", "sleep", "echo", "setsid"):
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
        path = self.folder / "image.tar"
        path.write_bytes(data.getvalue())
        self.command("docker", "import", path, _IMAGE)
