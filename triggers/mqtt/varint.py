"""Variable byte integers, in which MQTT says how long things are (MQTT 5 §1.5.5)."""

LARGEST = 268_435_455

_ONE_BYTE = [bytes((number,)) for number in range(128)]


def write_varint(number: int) -> bytes:
    """`number` in one to four bytes; raises ValueError when it has no place in them."""
    if number < 128:
        return _ONE_BYTE[number]
    if number > LARGEST:
        raise ValueError(f"a packet has {LARGEST:,} bytes at most")
    return bytes((number & 127 | 128,)) + write_varint(number >> 7)


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    """The number at `start`, and where it ends; raises IndexError when it is not whole, or ValueError."""
    number = 0
    for place in range(4):
        byte = data[start + place]
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number, start + place + 1
    raise ValueError("a length has more than four bytes")
