"""Automatic persisted queries: a text that came with its hash is found by the hash from then on.

Nobody can put one text under the hash of another: the hash is computed here. Only texts that have run are kept, so
that what does not parse or fit the schema takes no room.

Source: Apollo Server, Automatic persisted queries; Apollo Client, PersistedQueryLink.
"""

from collections import OrderedDict

from gateway.http.manifest import sha256

# A frontend has some hundreds of documents of one or two KiB; this is room for several frontends. A caller who fills
# it makes the others send their texts once more, and no more than that.
MAX_DOCUMENTS = 2_000
MAX_BYTES = 8 * 1024 * 1024


class PersistedQueries:
    """In memory, of this process alone; what has not been asked for the longest goes first."""

    def __init__(self, *, max_documents: int = MAX_DOCUMENTS, max_bytes: int = MAX_BYTES) -> None:
        self._max_documents, self._max_bytes = max_documents, max_bytes
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0

    def find(self, text_hash: str) -> str | None:
        text = self._texts.get(text_hash)
        if text is not None:
            self._texts.move_to_end(text_hash)
        return text

    def keep(self, text: str) -> None:
        size, text_hash = len(text.encode()), sha256(text)
        if size > self._max_bytes or text_hash in self._texts:
            return
        self._texts[text_hash] = text
        self._bytes += size
        while len(self._texts) > self._max_documents or self._bytes > self._max_bytes:
            _, oldest = self._texts.popitem(last=False)
            self._bytes -= len(oldest.encode())
