"""A module of a room knows at most one outside tool; only its wiring, `__main__`, may know several."""

import grimp

TOOLS = {
    "celery": "celery",
    "deltalake": "delta",
    "faiss": "faiss",
    "grpc": "grpc",
    "httpx": "http",
    "keras": "tensorflow",
    "pyarrow": "delta",
    "redis": "redis",
    "tensorflow": "tensorflow",
}
PLUMBING = ("magpie_services.kit", "magpie_services.core", "magpie_services.wire")


def test_a_module_knows_one_outside_tool() -> None:
    graph = grimp.build_graph("magpie_services", include_external_packages=True, cache_dir=None)
    crowded = {}
    for module in graph.modules:
        if (
            not module.startswith("magpie_services.")
            or module.startswith(PLUMBING)
            or module.endswith(".__main__")
        ):
            continue
        tools = {TOOLS[name] for name in graph.find_modules_directly_imported_by(module) if name in TOOLS}
        if len(tools) > 1:
            crowded[module] = sorted(tools)
    assert crowded == {}
