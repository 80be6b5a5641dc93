def reference_pages() -> dict[str, str]:
    return {}
