"""Reads a cell array of texts from a MATLAB level 5 file, which is how Stanford Dogs' official lists come.

Format: MAT-File Format (MathWorks), level 5: a 128-byte header, then elements of (type, size, data), padded to 8 bytes;
an element of type 15 is a zlib-compressed element; one of type 14 is an array: flags, dimensions, name, content.
"""
import struct
import zlib

COMPRESSED, MATRIX = 15, 14
CELL_CLASS, CHAR_CLASS = 1, 4
ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le"}  # int8, uint8, uint16, UTF-8, UTF-16


def elements(data):
    """(type, bytes) of each element."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind >> 16:  # small element: size and type share a word, the data follows in the same 8 bytes
            kind, size = kind & 0xFFFF, kind >> 16
            yield kind, data[at + 4 : at + 4 + size]
            at += 8
            continue
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + (0 if kind == COMPRESSED else -size % 8)


def read_array(data):
    """(name, content) of a matrix element: a list for a cell array, a text for characters, None for the rest."""
    parts = list(elements(data))
    array_class = parts[0][1][0]
    name = parts[2][1].decode("ascii")
    if array_class == CELL_CLASS:
        return name, [read_array(body)[1] for kind, body in parts[3:] if kind == MATRIX]
    if array_class == CHAR_CLASS:
        kind, body = parts[3]
        return name, body.decode(ENCODINGS[kind])
    return name, None


def read_text_cells(data, name):
    """The texts of the cell array `name`."""
    for kind, body in elements(data[128:]):
        if kind == COMPRESSED:
            kind, body = next(elements(zlib.decompress(body)))
        if kind == MATRIX:
            found, content = read_array(body)
            if found == name and isinstance(content, list):
                return content
    raise ValueError(f"no cell array '{name}' in this MATLAB file")
