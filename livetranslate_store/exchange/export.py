EXPORT_FORMATS: tuple[str, ...] = ()


async def export_session() -> None: ...
