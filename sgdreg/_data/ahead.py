"""Reading ahead: the next part is read while this one is worked on."""

from concurrent.futures import ThreadPoolExecutor

_END = object()


def ahead(parts):
    """Yield the same parts; each is read in a thread while the last one is worked on.

    Of the two times only the longer one is then seen. The parts are made by one thread from
    the first to the last, and the iterator is closed there, also where it is left early.
    """
    with ThreadPoolExecutor(1, "sgdreg-reader") as reader:
        coming = reader.submit(next, parts, _END)
        try:
            while (part := coming.result()) is not _END:
                coming = reader.submit(next, parts, _END)
                yield part
        finally:
            coming.cancel()
            if hasattr(parts, "close"):
                reader.submit(parts.close).result()
