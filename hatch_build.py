"""Build hook: compile proto/ with grpcio-tools, so that generated code is never committed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProtoBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's config parameter has no use here
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        compile_protos(Path(self.root))


def compile_protos(root: Path) -> None:
    from grpc_tools import protoc  # noqa: PLC0415  only the build needs it

    source = root / "proto"
    protos = sorted(str(path) for path in source.rglob("*.proto"))
    include = str(files("grpc_tools") / "_proto")
    arguments = ["protoc", f"-I{source}", f"-I{include}", f"--python_out={root}", f"--pyi_out={root}", *protos]
    if protoc.main(arguments) != 0:
        message = f"protoc failed on {protos}"
        raise RuntimeError(message)
    (root / "extproc_router" / "v1" / "__init__.py").write_text("")
