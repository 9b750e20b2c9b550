"""A form with one file, ``multipart/form-data``: the file's bytes go to an upload as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from xlser.serve.limits import MIB
from xlser.serve.refusal import Refused
from xlser.serve.uploads import Upload, label

# Bytes of a form beside its file: headers of parts, and fields that nothing reads.
_BESIDE, _HEADER = MIB, MIB // 16


async def read_form(content_type: str, body: AsyncIterator[bytes], upload: Upload) -> None:
    """Read a form; its file's bytes go to ``upload``, and its name becomes the label.

    Raises:
        Refused: 400, no form, without a file or with several; or what `Upload.add` raises.
    """
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise Refused(400, "A form (multipart/form-data) must name its boundary. Send the bytes of the file alone.")
    form = _Form(upload)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        parser.max_header_size = _HEADER  # older versions know no limit, and no argument for it
        async for piece in body:
            parser.write(piece)
            await form.flush()
        parser.finalize()
    except FormParserError as error:
        raise Refused(400, "The body is no form as its Content-Type says. Send the bytes of the file alone.") from error
    if not form.files:
        raise Refused(400, 'The form holds no file. Give one: curl -F "file=@call.wav"')


class _Form:
    def __init__(self, upload: Upload) -> None:
        self.upload, self.files, self._beside = upload, 0, 0
        self._in_file, self._pieces = False, list[bytes]()
        self._name, self._value, self._disposition = b"", b"", b""

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers,
            "on_part_data": self._data,
        }

    async def flush(self) -> None:
        """Hand on what came of the file."""
        pieces, self._pieces = self._pieces, []
        for piece in pieces:
            await self.upload.add(piece)

    def _begin(self) -> None:
        self._in_file, self._disposition = False, b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name, self._value = b"", b""

    def _headers(self) -> None:
        from python_multipart.multipart import parse_options_header

        options = parse_options_header(self._disposition)[1]
        if b"filename" not in options:
            return
        self.files += 1
        if self.files > 1:
            raise Refused(400, "The form holds several files. Send one recording a request.")
        self._in_file = True
        self.upload.label = label(options[b"filename"].decode("utf-8", "replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._pieces.append(data[start:end])
        else:
            self._count(end - start)

    def _count(self, bytes_beside: int) -> None:
        self._beside += bytes_beside
        if self._beside > _BESIDE:
            raise Refused(413, "The form holds more than 1 MiB beside its file. Send the bytes of the file alone.")
